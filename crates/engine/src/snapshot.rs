//! The snapshot codec.
