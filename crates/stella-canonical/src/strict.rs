//! A serialiser around another that refuses what has no faithful canonical form.
//!
//! serde_json writes `null` for a number that is not finite, and RFC 8785 turns every integer
//! into a double, both without a word; so both are looked at before they get there.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::json::{MAX_DEPTH, MAX_SAFE_INTEGER, prints_as_unsafe_integer};

/// A value that is serialised under the rules; `depth` counts the containers around it.
pub(crate) struct Strict<'a, T: ?Sized> {
    pub(crate) value: &'a T,
    pub(crate) depth: usize,
}

impl<T: Serialize + ?Sized> Serialize for Strict<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Rules {
            inner,
            depth: self.depth,
        })
    }
}

struct Rules<S> {
    inner: S,
    depth: usize,
}

impl<S: Serializer> Rules<S> {
    fn float(&self, value: f64) -> Result<(), S::Error> {
        if !value.is_finite() {
            return Err(S::Error::custom("a number is not finite"));
        }
        self.safe(!prints_as_unsafe_integer(value))
    }

    fn safe(&self, safe: bool) -> Result<(), S::Error> {
        let message = format_args!("an integer beyond ±{MAX_SAFE_INTEGER} must travel as a string");
        if safe {
            Ok(())
        } else {
            Err(S::Error::custom(message))
        }
    }

    fn enter<C>(
        self,
        levels: usize,
        open: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Rules<C>, S::Error> {
        let depth = self.depth + levels;
        if depth > MAX_DEPTH {
            return Err(S::Error::custom(format_args!(
                "nested deeper than {MAX_DEPTH} levels"
            )));
        }
        Ok(Rules {
            inner: open(self.inner)?,
            depth,
        })
    }
}

macro_rules! plain {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $name(self $(, $arg: $type)*) -> Result<S::Ok, S::Error> {
            self.inner.$name($($arg),*)
        }
    )*};
}

macro_rules! integer {
    ($($name:ident($type:ty);)*) => {$(
        fn $name(self, value: $type) -> Result<S::Ok, S::Error> {
            self.safe(u64::try_from(value.unsigned_abs()).is_ok_and(|value| value <= MAX_SAFE_INTEGER))?;
            self.inner.$name(value)
        }
    )*};
}

macro_rules! natural {
    ($($name:ident($type:ty);)*) => {$(
        fn $name(self, value: $type) -> Result<S::Ok, S::Error> {
            self.safe(u64::try_from(value).is_ok_and(|value| value <= MAX_SAFE_INTEGER))?;
            self.inner.$name(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Rules<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Rules<S::SerializeSeq>;
    type SerializeTuple = Rules<S::SerializeTuple>;
    type SerializeTupleStruct = Rules<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Rules<S::SerializeTupleVariant>;
    type SerializeMap = Rules<S::SerializeMap>;
    type SerializeStruct = Rules<S::SerializeStruct>;
    type SerializeStructVariant = Rules<S::SerializeStructVariant>;

    plain! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    integer! {
        serialize_i64(i64);
        serialize_i128(i128);
    }

    natural! {
        serialize_u64(u64);
        serialize_u128(u128);
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.float(value.into())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.float(value)?;
        self.inner.serialize_f64(value)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Strict {
            value,
            depth: self.depth,
        })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(
            name,
            &Strict {
                value,
                depth: self.depth,
            },
        )
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let Rules { inner, depth } = self.enter(1, Ok)?;
        inner.serialize_newtype_variant(name, index, variant, &Strict { value, depth })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.enter(1, |inner| inner.serialize_seq(len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.enter(1, |inner| inner.serialize_tuple(len))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.enter(1, |inner| inner.serialize_tuple_struct(name, len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.enter(2, |inner| {
            inner.serialize_tuple_variant(name, index, variant, len)
        })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.enter(1, |inner| inner.serialize_map(len))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.enter(1, |inner| inner.serialize_struct(name, len))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.enter(2, |inner| {
            inner.serialize_struct_variant(name, index, variant, len)
        })
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! compound {
    ($($trait:ident { $($name:ident($($arg:ident: $type:ty)?);)* })*) => {$(
        impl<C: $trait> $trait for Rules<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            $(fn $name<T: Serialize + ?Sized>(&mut self, $($arg: $type,)? value: &T) -> Result<(), C::Error> {
                self.inner.$name($($arg,)? &Strict { value, depth: self.depth })
            })*

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

compound! {
    SerializeSeq { serialize_element(); }
    SerializeTuple { serialize_element(); }
    SerializeTupleStruct { serialize_field(); }
    SerializeTupleVariant { serialize_field(); }
    SerializeMap { serialize_key(); serialize_value(); }
    SerializeStruct { serialize_field(key: &'static str); }
    SerializeStructVariant { serialize_field(key: &'static str); }
}
