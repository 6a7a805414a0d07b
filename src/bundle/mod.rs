//! From ordinals to the bytes of a Bundle: what comes along ([`include`]), and how it is framed ([`assemble`]).

pub mod assemble;
pub mod include;
