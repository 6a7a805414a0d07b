//! Points on the Earth.

use crate::json::Node;

/// A WGS 84 point, in degrees, always within ±90 and ±180.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Position {
    /// Degrees north, from -90 to 90.
    pub latitude: f64,
    /// Degrees east, from -180 to 180.
    pub longitude: f64,
}

impl Position {
    /// The point, or nothing when a coordinate is out of range or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Option<Position> {
        (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some(Position {
            latitude,
            longitude,
        })
    }

    /// Reads `Location.position`: both coordinates must be there and in range.
    pub fn read(node: &Node<'_>) -> Option<Position> {
        Position::new(
            node.get("latitude")?.as_f64()?,
            node.get("longitude")?.as_f64()?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Position;
    use crate::json::Node;

    #[test]
    fn only_whole_points_within_range_are_read() {
        let read = |text: &str| Position::read(&Node::parse(text.as_bytes()).expect("valid"));
        assert_eq!(
            read(r#"{"latitude":47.2,"longitude":-1.5}"#),
            Some(Position {
                latitude: 47.2,
                longitude: -1.5
            })
        );
        assert_eq!(
            read(r#"{"latitude":"47.2","longitude":2}"#).map(|p| p.longitude),
            Some(2.0)
        );
        assert_eq!(read(r#"{"latitude":47.2}"#), None);
        assert_eq!(read(r#"{"latitude":90.5,"longitude":0}"#), None);
        assert_eq!(read(r#"{"latitude":0,"longitude":180.01}"#), None);
        assert_eq!(read(r#"{"latitude":"NaN","longitude":0}"#), None);
    }
}
