//! Between the domain's types and DynamoDB's. Rows that belong to the domain
//! are JSON in one attribute, beside those that conditions look at.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Hash, Result, StoreError};

use super::key::Key;
use super::tables::{PARTITION, RANGE};

pub(super) type Item = HashMap<String, AttributeValue>;

/// An item of the ledger.
pub(super) fn item<const N: usize>(key: &Key, attributes: [(&str, AttributeValue); N]) -> Item {
    let mut item = key_item(key);
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

pub(super) fn key_item(key: &Key) -> Item {
    HashMap::from([
        (PARTITION.to_owned(), s(key.partition.as_str())),
        (RANGE.to_owned(), s(key.range.as_str())),
    ])
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn b(hash: Hash) -> AttributeValue {
    AttributeValue::B(Blob::new(hash.0))
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<AttributeValue> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| StoreError::Failed(error.to_string()))
}

/// An item without an attribute, or with one that reads as something else.
pub(super) fn illegible(what: &str, why: impl Display) -> StoreError {
    StoreError::Failed(format!("an item's {what} can't be read: {why}"))
}

fn attribute<'a>(item: &'a Item, name: &str) -> Result<&'a AttributeValue> {
    item.get(name).ok_or_else(|| illegible(name, "it is not there"))
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    attribute(item, name)?.as_s().map(String::as_str).map_err(|_| illegible(name, "it is no text"))
}

pub(super) fn number<T: FromStr<Err: Display>>(item: &Item, name: &str) -> Result<T> {
    let digits = attribute(item, name)?.as_n().map_err(|_| illegible(name, "it is no number"))?;
    digits.parse().map_err(|error| illegible(name, error))
}

pub(super) fn timestamp(item: &Item, name: &str) -> Result<Timestamp> {
    number(item, name).map(Timestamp)
}

/// An instant that need not be there.
pub(super) fn timestamp_if_any(item: &Item, name: &str) -> Result<Option<Timestamp>> {
    item.contains_key(name).then(|| timestamp(item, name)).transpose()
}

pub(super) fn hash(item: &Item, name: &str) -> Result<Hash> {
    let bytes = attribute(item, name)?.as_b().map_err(|_| illegible(name, "it is no binary"))?;
    bytes.as_ref().try_into().map(Hash).map_err(|error| illegible(name, error))
}

/// A text that has a form.
pub(super) fn parsed<T: FromStr<Err: Display>>(item: &Item, name: &str) -> Result<T> {
    text(item, name)?.parse().map_err(|error| illegible(name, error))
}

pub(super) fn from_json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T> {
    serde_json::from_str(text(item, name)?).map_err(|error| illegible(name, error))
}
