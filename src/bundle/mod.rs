//! From ordinals to the bytes of a Bundle: what comes along ([`include`]), which elements of each are asked
//! for ([`subset`]), how it is framed ([`assemble`]), as it is ([`plain`]) or
//! compressed ([`gzip`]).

pub mod assemble;
pub mod gzip;
pub mod include;
pub mod plain;
pub mod subset;
