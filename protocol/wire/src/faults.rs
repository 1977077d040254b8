//! Faults, as every protocol enumerates them: what is wrong with something that came in and is dropped for it.

/// Makes an enumeration of faults, each with a name for metrics; what it says to people is its documentation.
///
/// ```
/// twocan_wire::faults! {
///     /// Why a letter was not delivered.
///     pub enum Fault {
///         /// It has no stamp, or one that
///         /// was used before.
///         NoStamp => "no_stamp",
///         /// Nobody lives there.
///         NoAddressee => "no_addressee",
///     }
/// }
///
/// assert_eq!(Fault::ALL, [Fault::NoStamp, Fault::NoAddressee]);
/// assert_eq!(Fault::NoAddressee.label(), "no_addressee");
/// assert_eq!(Fault::NoStamp.to_string(), "It has no stamp, or one that was used before");
/// ```
#[macro_export]
macro_rules! faults {
    (
        $(#[doc = $about:literal])+
        pub enum $fault:ident {
            $($(#[doc = $text:literal])+ $name:ident => $label:literal,)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $fault {
            $($(#[doc = $text])+ $name,)*
        }

        impl $fault {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in metrics.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }
        }

        impl ::std::fmt::Display for $fault {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let text = match self {
                    $(Self::$name => concat!($($text),+),)*
                };
                f.write_str(text.trim_ascii().trim_end_matches('.'))
            }
        }

        impl ::std::error::Error for $fault {}
    };
}
