//! Building, opening, checking and swapping indexes when something is odd, broken or changing underneath.

mod built;
mod candidates;
mod dangling;
mod duplicates;
mod extract;
mod http;
mod invented;
mod opening;
mod order;
mod pruning;
mod swap;
mod swap_served;
mod verifying;
