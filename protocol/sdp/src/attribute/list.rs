//! The attributes of a level, in order (RFC 8866 §5.13).

use std::ops::{Deref, DerefMut};

use crate::attribute::{Attribute, Other, Typed};

/// The `a=` lines of a session or a section.
///
/// ```
/// # use twocan_sdp::attribute::{Attribute, Attributes, Mid, Setup};
/// let mut attributes = Attributes::default();
/// attributes.push("0".parse::<Mid>().unwrap());
/// attributes.set(Setup::ActPass);
/// attributes.set(Setup::Active);
/// attributes.push(Attribute::RtcpMux);
/// assert_eq!(attributes.get::<Setup>(), Some(&Setup::Active));
/// assert!(attributes.has(&Attribute::RtcpMux));
/// assert_eq!(attributes.len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(
    /// In the order of their lines.
    pub Vec<Attribute>,
);

impl Attributes {
    /// The first of a type.
    pub fn get<T: Typed>(&self) -> Option<&T> {
        self.all().next()
    }

    /// All of a type.
    pub fn all<T: Typed>(&self) -> impl Iterator<Item = &T> {
        self.iter().filter_map(T::of)
    }

    /// Whether the same attribute is there; meant for those without a value.
    pub fn has(&self, attribute: &Attribute) -> bool {
        self.0.contains(attribute)
    }

    /// The first of a name that has no type of its own.
    pub fn other(&self, name: &str) -> Option<&Other> {
        self.iter().find_map(|attribute| match attribute {
            Attribute::Other(other) if other.name() == name => Some(other),
            _ => None,
        })
    }

    /// Puts an attribute behind all others.
    pub fn push(&mut self, attribute: impl Into<Attribute>) {
        self.0.push(attribute.into());
    }

    /// Puts a value in the place of the first of its type, or behind all others if there is none. Further ones
    /// go.
    pub fn set<T: Typed>(&mut self, value: T) {
        let place = self.iter().position(|attribute| T::of(attribute).is_some());
        self.remove::<T>();
        self.0.insert(place.unwrap_or(self.len()), value.into());
    }

    /// Takes all of a type away.
    pub fn remove<T: Typed>(&mut self) {
        self.0.retain(|attribute| T::of(attribute).is_none());
    }
}

impl Deref for Attributes {
    type Target = Vec<Attribute>;

    fn deref(&self) -> &Vec<Attribute> {
        &self.0
    }
}

impl DerefMut for Attributes {
    fn deref_mut(&mut self) -> &mut Vec<Attribute> {
        &mut self.0
    }
}

impl<A: Into<Attribute>> FromIterator<A> for Attributes {
    fn from_iter<I: IntoIterator<Item = A>>(attributes: I) -> Self {
        Self(attributes.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{Candidate, Direction};

    #[test]
    fn what_is_set_takes_the_place_of_the_first() {
        let lines = ["x", "sendonly", "y", "inactive"].map(|line| line.parse::<Attribute>().unwrap());
        let mut attributes: Attributes = lines.into_iter().collect();
        attributes.set(Direction::RecvOnly);
        let names: Vec<&str> = attributes.iter().map(Attribute::name).collect();
        assert_eq!(names, ["x", "recvonly", "y"]);
        attributes.remove::<Direction>();
        assert_eq!(attributes.get::<Direction>(), None);
        assert_eq!(attributes.all::<Candidate>().count(), 0);
        assert_eq!(attributes.other("y").map(Other::value), Some(None));
    }
}
