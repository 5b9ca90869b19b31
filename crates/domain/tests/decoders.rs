//! Whatever comes from outside is read in one spelling, or refused; nothing
//! panics. Frames, tickets and ids have such tests beside their code.
#![allow(clippy::unwrap_used)]

use domain::agent::{Agent, Failure, FailureReason, IdleTimeout};
use domain::event::Event;
use domain::id::{AgentId, InstanceId, SnapshotId};
use domain::money::NanoDollars;
use domain::name::Name;
use domain::protocol::{self, Activity, EnrolRequest, IdleWarning, Report, SnapshotCommit};
use domain::size::Size;
use domain::time::{Day, Timestamp};
use proptest::prelude::*;

/// JSON of the shapes that a body could have, and of many that it could not.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        "report|boot|ready|phase|snapshot|id|files|bytes|instance|nonce|binding|event|at|seq|busy|reason|detail",
        "hydrating|in_use|save_failed|boot_failed|crashed|idle_for_ms|terminals|viewers|message",
        ".{0,12}",
        "[0-9a-f]{64}",
        "[0-9a-z]{16}:[0-9]{1,12}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        word.clone().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// What is read is written as something that reads the same.
fn reads_back<T: serde::Serialize + serde::de::DeserializeOwned>(text: &str) {
    if let Ok(value) = serde_json::from_str::<T>(text) {
        let written = serde_json::to_string(&value).unwrap();
        let again: T = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), written);
    }
}

fn reads_back_as_every_body(text: &str) {
    reads_back::<EnrolRequest>(text);
    reads_back::<Report>(text);
    reads_back::<SnapshotCommit>(text);
    reads_back::<Activity>(text);
    reads_back::<IdleWarning>(text);
    reads_back::<Agent>(text);
    reads_back::<Event>(text);
}

proptest! {
    #[test]
    fn keys_read_back_as_written(bytes: [u8; 32]) {
        prop_assert_eq!(protocol::from_hex(&protocol::to_hex(&bytes)), Some(bytes));
    }

    #[test]
    fn any_text_is_a_key_in_its_one_spelling_or_refused(text in "[0-9a-fA-F+]{62,66}|.{0,70}") {
        if let Some(bytes) = protocol::from_hex(&text) {
            prop_assert_eq!(protocol::to_hex(&bytes), text);
        }
    }

    #[test]
    fn any_text_is_a_clean_name_or_refused(text in prop_oneof![".{0,80}", any::<String>()]) {
        if let Ok(name) = text.parse::<Name>() {
            prop_assert_eq!(name.as_str(), text.trim());
            prop_assert!((1..=Name::MAX_CHARS).contains(&name.as_str().chars().count()));
            prop_assert!(!name.as_str().chars().any(char::is_control));
            prop_assert_eq!(name.as_str().parse::<Name>(), Ok(name.clone()));
        }
    }

    #[test]
    fn any_text_is_a_file_name_of_an_instance_in_its_one_spelling_or_refused(text in "[0-9a-z]{16}-[0-9+-]{1,12}|.{0,40}") {
        if let Ok(instance) = InstanceId::from_file_name(&text) {
            prop_assert_eq!(instance.file_name(), text);
        }
    }

    #[test]
    fn near_misses_of_ids_are_ids_in_their_one_spelling_or_refused(text in "[0-9a-zA-Z]{15,17}(:[0-9+]{1,11})?|[0-9a-fA-F]{63,65}") {
        if let Ok(id) = text.parse::<AgentId>() { prop_assert_eq!(id.to_string(), text.clone()); }
        if let Ok(id) = text.parse::<InstanceId>() { prop_assert_eq!(id.to_string(), text.clone()); }
        if let Ok(id) = text.parse::<SnapshotId>() { prop_assert_eq!(id.to_string(), text); }
    }

    #[test]
    fn any_number_is_an_idle_timeout_in_range_or_refused(secs: u32) {
        match IdleTimeout::from_secs(secs) {
            Ok(timeout) => {
                prop_assert!((10..=86_400).contains(&secs) && timeout.as_secs() == secs);
                prop_assert!(timeout.warning() < timeout.duration());
            }
            Err(_) => prop_assert!(!(10..=86_400).contains(&secs)),
        }
    }

    #[test]
    fn any_text_is_a_size_or_refused(text in "[a-z]{0,9}") {
        if let Ok(size) = text.parse::<Size>() { prop_assert_eq!(size.as_str(), text); }
    }

    #[test]
    fn a_failures_detail_is_bounded_and_keeps_the_end(detail in prop_oneof![any::<String>(), "[aéñ👩]{0,3000}"]) {
        let failure = Failure::new(FailureReason::Crashed, &detail);
        prop_assert!(failure.detail.len() <= Failure::DETAIL_MAX && detail.ends_with(&failure.detail));
        prop_assert!(failure.detail.len() == detail.len() || failure.detail.len() > Failure::DETAIL_MAX - 4);
    }

    #[test]
    fn any_json_is_a_body_or_refused(value in json()) {
        reads_back_as_every_body(&value.to_string());
    }

    #[test]
    fn any_bytes_are_a_body_or_refused(text in prop_oneof![any::<String>(), "[{}\\[\\]\",:a-z0-9]{0,60}"]) {
        reads_back_as_every_body(&text);
    }

    #[test]
    fn any_instant_and_amount_can_be_written(ms: i64, nanos: i64, decimals: u32) {
        let at = Timestamp(ms);
        prop_assert!(!at.to_string().is_empty());
        prop_assert!(at.month().start() <= at || ms < i64::MIN + 32 * 86_400_000);
        prop_assert!(Day(ms).civil().1 <= 12);
        prop_assert!(!NanoDollars(nanos).to_decimal(decimals).is_empty());
    }
}

#[test]
fn a_body_with_a_field_too_many_is_refused() {
    let warning = r#"{"sleeps_in_ms": 5, "more": 1}"#;
    assert!(serde_json::from_str::<IdleWarning>(warning).is_err());
}

#[test]
fn no_secret_shows_in_a_debug_output() {
    let body = r#"{"instance":"0123456789abcdef:1","nonce":"canary-nonce","binding":"canary-binding"}"#;
    let request: EnrolRequest = serde_json::from_str(body).unwrap();
    assert!(!format!("{request:?}").contains("canary"));
}
