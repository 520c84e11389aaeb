//! The first difference between two values, as a person would point it out: a path and the two texts, not two dumps.

use serde::Serialize;
use serde_json::Value;

/// Where two lists of values first differ; `None` when they are equal. `name` says what an element is, for the message.
#[must_use]
pub fn first_difference<T: Serialize>(what: &str, name: impl Fn(&T) -> String, expected: &[T], found: &[T]) -> Option<String> {
    for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
        let pair = (serde_json::to_value(expected), serde_json::to_value(found));
        let (Ok(left), Ok(right)) = pair else { return Some(format!("{what} {at} cannot be shown")) };
        if let Some(difference) = in_value("", &left, &right) {
            return Some(format!("{what} {at}: {} against {}\n{difference}", name(expected), name(found)));
        }
    }
    let longer = if expected.len() > found.len() { expected } else { found };
    let extra = longer.get(expected.len().min(found.len()))?;
    let which = if expected.len() > found.len() { "missing" } else { "too many" };
    Some(format!("{what}: expected {}, found {}; first {which}: {}", expected.len(), found.len(), name(extra)))
}

fn in_value(path: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
            let differences: Vec<String> =
                keys.filter_map(|key| in_value(&format!("{path}.{key}"), at(left.get(key)), at(right.get(key)))).collect();
            (!differences.is_empty()).then(|| differences.join("\n"))
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs.into_iter().find_map(|(at, (left, right))| in_value(&format!("{path}[{at}]"), left, right))
        }
        _ if expected == found => None,
        _ => Some(format!("  {path}\n    expected {expected}\n    found    {found}")),
    }
}

fn at(value: Option<&Value>) -> &Value {
    value.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_named_by_its_path() {
        let name = |value: &Value| value["id"].to_string();
        let (a, b) = (json!({"id": 1, "list": [{"x": 1}, {"x": 2}]}), json!({"id": 1, "list": [{"x": 1}, {"x": 3}]}));
        let found = first_difference("alert", name, std::slice::from_ref(&a), &[b]).expect("they differ");
        assert_eq!(found, "alert 0: 1 against 1\n  .list[1].x\n    expected 2\n    found    3");
        assert_eq!(first_difference("alert", name, std::slice::from_ref(&a), std::slice::from_ref(&a)), None);
        let missing = first_difference("alert", name, &[a.clone(), a.clone()], &[a]).expect("they differ");
        assert_eq!(missing, "alert: expected 2, found 1; first missing: 1");
    }
}
