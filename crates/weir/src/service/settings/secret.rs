//! Properties of others (librdkafka, object stores) and the secrets among them, which stand elsewhere: in a file or in a variable.
//!
//! What stands here by mistake may be a secret itself, so no message quotes a value, and nothing prints one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::language::{Lang, say};

/// What is said where a secret is not named so.
pub(super) const NO_SECRET: &str = "a secret is named by {file = \"…\"} or {env = \"…\"} and never written here";

/// Where a secret is.
#[derive(Debug, Clone)]
pub(super) enum Secret {
    File(PathBuf),
    Env(String),
}

impl Secret {
    fn named(value: &toml::Value) -> Option<Self> {
        let table = value.as_table().filter(|table| table.len() == 1)?;
        let (key, place) = table.iter().next()?;
        match (key.as_str(), place.as_str()?) {
            ("file", path) => Some(Self::File(path.into())),
            ("env", variable) => Some(Self::Env(variable.to_owned())),
            _ => None,
        }
    }
}

/// By hand, because what stands there by mistake may be a secret itself: no message quotes it.
pub(super) fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Secret>, D::Error> {
    let value = toml::Value::deserialize(deserializer).map_err(|_| D::Error::custom(NO_SECRET))?;
    let table = value.as_table().ok_or_else(|| D::Error::custom(NO_SECRET))?;
    let named = |(name, value): (&String, &toml::Value)| Some((name.clone(), Secret::named(value)?));
    table.iter().map(|entry| named(entry).ok_or_else(|| D::Error::custom(NO_SECRET))).collect()
}

/// The same for properties, which are texts, whole numbers or yes and no.
pub(super) fn properties<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    const NO_PROPERTIES: &str = "properties are texts, whole numbers, true or false, by their names";
    let value = toml::Value::deserialize(deserializer).map_err(|_| D::Error::custom(NO_PROPERTIES))?;
    let table = value.as_table().ok_or_else(|| D::Error::custom(NO_PROPERTIES))?;
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(is_so) => Some(is_so.to_string()),
        _ => None,
    };
    let property = |(name, value): (&String, &toml::Value)| Ok((name.clone(), text(value).ok_or_else(|| D::Error::custom(NO_PROPERTIES))?));
    table.iter().map(property).collect()
}

/// The properties of a table with its secrets, read from where they are; paths are relative to the `folder` of the settings.
pub(super) fn with_secrets(
    table: &str,
    properties: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, Secret>,
    folder: &Path,
    lang: Lang,
) -> Result<BTreeMap<String, String>, String> {
    let mut properties = properties.clone();
    if let Some(name) = properties.keys().find(|name| is_secret(name)) {
        return Err(say!(
            lang,
            "`{name}` 是密钥，不应写在设置文件里；请用 [{table}.secrets] 指明文件或环境变量",
            "`{name}` is a secret and must not stand in the settings; name a file or a variable under [{table}.secrets]"
        ));
    }
    for (name, secret) in secrets {
        let value = match secret {
            Secret::File(path) => {
                let path = folder.join(path);
                fs::read_to_string(&path).map_err(|error| format!("{table}.secrets.{name}: {}: {error}", path.display()))?
            }
            Secret::Env(variable) => std::env::var(variable).map_err(|_| {
                say!(
                    lang,
                    "{table}.secrets.{name}：环境变量 {variable} 未设置",
                    "{table}.secrets.{name}: the variable {variable} is not set"
                )
            })?,
        };
        properties.insert(name.clone(), value.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(properties)
}

fn is_secret(property: &str) -> bool {
    property.contains("password")
        || property.contains("passphrase")
        || property.ends_with(".pem")
        || property.contains("secret")
        || property.ends_with("token")
}
