//! From a query string to matching ordinals: [`parse`] gives a [`criterion`] tree, [`evaluate`] its matches,
//! [`order`] the page asked for, [`cursor`] the way back to it;
//! `ask` puts a criterion to single ordinals, `implied` leaves few of them to be asked; [`cost`] tells beforehand what it
//! takes, [`explain`] what was done.

mod ask;
pub mod content;
pub mod cost;
pub mod criterion;
pub mod cursor;
pub mod effort;
pub mod error;
mod estimate;
pub mod evaluate;
pub mod explain;
mod implied;
mod join;
mod leaf;
pub mod order;
pub mod parse;
pub mod score;
