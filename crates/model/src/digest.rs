//! Identities made of contents: the same fields have the same one wherever and whenever it is computed.
//!
//! Ids of alerts and reports and the hash of a rule set are such. They stand in outputs and states, so what is hashed, and how, never changes.

/// BLAKE3-128 of fields, each preceded by its length so that no two lists of fields share a text.
#[must_use]
pub fn digest128(fields: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for field in fields {
        hasher.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(field);
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    id
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
