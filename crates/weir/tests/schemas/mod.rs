//! `docs/schemas`: the JSON Schemas of what weir writes, out of the types themselves, and that `docs/records.md` names every field. That records fit them,
//! the tests of the service see.
//!
//! That of office messages is closed: it lists what may leave the bank, and a message with anything more, however deep inside, does not fit. The
//! others are open, as their readers must be.
//!
//! `UPDATE_EXPECT=1` writes the files anew after a change of the types. A change that a reader of the old form would stumble over raises
//! `weir_model::alert::SCHEMA_VERSION`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use weir_model::{Alert, LargeAmountReport, LegSetAside, OfficeAlert};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema<T: JsonSchema>(title: &str) -> Value {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    schema["title"] = title.into();
    schema
}

/// Nothing fits but what is listed, in every object, and all that is listed must be there.
fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get("properties") {
                let names: Vec<&Value> = fields.get("required").and_then(Value::as_array).into_iter().flatten().collect();
                assert!(properties.keys().all(|name| names.iter().any(|required| *required == name)), "optional: {properties:?}");
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

fn check(name: &str, schema: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(schema).expect("plain values"));
    expect_file![repository().join("docs/schemas").join(name)].assert_eq(&text);
}

#[test]
fn the_documented_schemas_are_those_of_the_types() {
    check("alert.json", &schema::<Alert>("Alert: one revision, on weir.alerts"));
    check("office-alert.json", &closed(schema::<OfficeAlert>("Office alert: what may leave the bank, on weir.office")));
    check("large-amount-report.json", &schema::<LargeAmountReport>("Large-amount report: one revision, on weir.large-amount"));
    check(
        "leg-set-aside.json",
        &schema::<LegSetAside>("Leg set aside: on weir.late, and on weir.dead-letter where the detector refused it"),
    );
}

/// Names of fields, however deep inside.
fn fields<'s>(schema: &'s Value, names: &mut BTreeSet<&'s str>) {
    match schema {
        Value::Object(parts) => {
            if let Some(Value::Object(properties)) = parts.get("properties") {
                names.extend(properties.keys().map(String::as_str));
            }
            parts.values().for_each(|part| fields(part, names));
        }
        Value::Array(parts) => parts.iter().for_each(|part| fields(part, names)),
        _ => {}
    }
}

#[test]
fn the_manual_says_what_every_field_is() {
    let manual = std::fs::read_to_string(repository().join("docs/records.md")).expect("is there");
    for schema in [schema::<Alert>(""), schema::<OfficeAlert>(""), schema::<LargeAmountReport>(""), schema::<LegSetAside>("")] {
        let mut names = BTreeSet::new();
        fields(&schema, &mut names);
        let missing: Vec<&str> = names.into_iter().filter(|name| !manual.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "docs/records.md does not name {missing:?}");
    }
}
