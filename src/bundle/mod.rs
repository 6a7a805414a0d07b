//! From ordinals to the bytes of a Bundle: what comes along ([`include`]), which elements of each are asked
//! for ([`subset`]), and how it is framed ([`assemble`]).

pub mod assemble;
pub mod include;
pub mod subset;
