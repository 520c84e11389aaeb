//! A broker that wants TLS and a password: the service works with them, and without them says what is wrong.

use std::collections::BTreeMap;
use std::fs;

use weir_kafka::Connection;

use super::assert_same_as_files;
use super::broker::Broker;
use super::rig::{Rig, Shape, transactions};

#[test]
fn tls_and_passwords_are_used_and_verified() {
    let Some(broker) = Broker::secured() else { return };
    let (authority, password) = (broker.file("tls/ca.pem"), broker.file("users/weir.password"));
    let (authority, password_file) = (authority.display().to_string(), password.display().to_string());
    let secret = fs::read_to_string(password).expect("the password");
    let properties = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", "weir"),
        ("ssl.ca.location", &authority),
    ];
    let lines: String = properties.iter().map(|(name, value)| format!("\"{name}\" = \"{value}\"\n")).collect();
    let tables = format!("[kafka.properties]\n{lines}[kafka.secrets]\n\"sasl.password\" = {{ file = \"{password_file}\" }}\n");
    let mut own: BTreeMap<String, String> = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    own.insert("sasl.password".to_owned(), secret.clone());
    let rig = Rig::connected(Connection { brokers: broker.address.clone(), properties: own }, &tables, Shape::default());

    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    let service = rig.start("one");
    rig.feed_all("t.jsonl");
    rig.wait_until_caught_up();
    service.terminate();
    assert_same_as_files(&rig);

    let settings = fs::read_to_string(rig.path("weir.toml")).expect("the settings");
    let refused = |what: &str, with: &str, expected: &str| {
        fs::write(rig.path("wrong.toml"), settings.replace(what, with)).expect("written");
        let output = rig.weir(&["topics", "check", "-c", "wrong.toml"]).output().expect("weir starts");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains(expected) && !text.contains(&secret), "{text}");
    };
    fs::write(rig.path("other"), "not the password\n").expect("written");
    refused(&password_file, &rig.path("other").display().to_string(), "invalid credentials");
    let other = broker.file("tls/client.pem").display().to_string();
    refused(&authority, &other, "certificate verify failed");
    assert!(!rig.log().contains(&secret));
}
