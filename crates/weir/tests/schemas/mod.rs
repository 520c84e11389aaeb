//! `docs/schemas`: the JSON Schemas of what weir writes, out of the types themselves. That records fit them, the tests of the service see.
//!
//! `UPDATE_EXPECT=1` writes the files anew after a change of the types. A change that a reader of the old form would stumble over raises
//! `weir_model::alert::SCHEMA_VERSION`.

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

fn check<T: JsonSchema>(name: &str, title: &str) {
    let text = format!("{}\n", serde_json::to_string_pretty(&schema::<T>(title)).expect("plain values"));
    expect_file![repository().join("docs/schemas").join(name)].assert_eq(&text);
}

#[test]
fn the_documented_schemas_are_those_of_the_types() {
    check::<Alert>("alert.json", "Alert: one revision, on weir.alerts");
    check::<OfficeAlert>("office-alert.json", "Office alert: what may leave the bank, on weir.office");
    check::<LargeAmountReport>("large-amount-report.json", "Large-amount report: one revision, on weir.large-amount");
    check::<LegSetAside>("leg-set-aside.json", "Leg set aside: on weir.late, and on weir.dead-letter where the detector refused it");
}
