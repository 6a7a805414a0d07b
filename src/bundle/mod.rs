//! From ordinals to the bytes of a Bundle: what comes along ([`include`]), which elements of each are asked
//! for ([`subset`]), how it is framed ([`assemble`]), and how it is
//! compressed ([`gzip`]).

pub mod assemble;
pub mod gzip;
pub mod include;
pub mod subset;
