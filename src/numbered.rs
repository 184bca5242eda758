//! Enums whose numbers C sees, and the way back from a number.

/// Declares one: each variant with its number, which is part of the ABI.
macro_rules! numbered {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[$of:meta])* $variant:ident = $number:literal,)*
        }
    ) => {
        $(#[$about])*
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of])* $variant = $number,)*
        }

        impl $name {
            /// The one of that number, if there is one.
            pub const fn from_number(number: u32) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use numbered;
