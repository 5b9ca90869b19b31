//! Reads, each by key or by a range of one partition, strongly consistent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::random;
use crate::store::{Result, StoreError};

use super::error::failed;
use super::item::{Item, key_item, s};
use super::key::{Key, Span};
use super::tables::{PARTITION, TablePrefix};

/// Keys that DynamoDB looks up in one request.
pub(super) const KEYS_MAX: usize = 100;
/// How often what a batch left out is asked for again: it answers in part when
/// it is short of capacity, or at 16 MB.
const BATCH_TRIES: u32 = 8;
const BATCH_BACKOFF: Duration = Duration::from_millis(50);

/// The two tables, and the way to them.
pub(super) struct Db {
    pub client: Client,
    pub ledger: Arc<str>,
    pub expiring: Arc<str>,
}

/// Which end of a span comes first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Rising,
    Falling,
}

impl Db {
    pub fn new(client: Client, tables: &TablePrefix) -> Self {
        Self { client, ledger: tables.ledger().into(), expiring: tables.expiring().into() }
    }

    /// An item of the ledger.
    pub async fn get(&self, key: &Key) -> Result<Option<Item>> {
        self.get_from(&self.ledger, key_item(key)).await
    }

    /// An item of what expires, which may have expired.
    pub async fn get_expiring(&self, key: String) -> Result<Option<Item>> {
        self.get_from(&self.expiring, HashMap::from([(PARTITION.to_owned(), s(key))])).await
    }

    async fn get_from(&self, table: &str, key: Item) -> Result<Option<Item>> {
        let get = self.client.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
        Ok(get.send().await.map_err(failed)?.item)
    }

    /// The first items of a span, `limit` at most, over as many of DynamoDB's
    /// pages as that takes.
    pub async fn query(&self, span: &Span, order: Order, limit: usize) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut pages = Pages::new(self, span.clone(), order);
        while items.len() < limit
            && let Some(page) = pages.next(limit - items.len()).await?
        {
            items.extend(page);
        }
        Ok(items)
    }

    /// The items of these keys that are there, in no order.
    pub async fn get_all(&self, keys: &[Key]) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_MAX) {
            let mut asked: Vec<Item> = keys.iter().map(key_item).collect();
            for attempt in 0.. {
                let (found, left) = self.get_batch(asked).await?;
                items.extend(found);
                if left.is_empty() {
                    break;
                }
                if attempt == BATCH_TRIES {
                    return Err(StoreError::Unavailable("reads are throttled".to_owned()));
                }
                tokio::time::sleep(jitter(BATCH_BACKOFF * 2u32.pow(attempt))).await;
                asked = left;
            }
        }
        Ok(items)
    }

    /// What is found, and the keys that were not looked up.
    async fn get_batch(&self, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>)> {
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let keys = keys.expect("the keys are given");
        let answer = self.client.batch_get_item().request_items(&*self.ledger, keys).send().await;
        let mut answer = answer.map_err(failed)?;
        let found = answer.responses.as_mut().and_then(|tables| tables.remove(&*self.ledger));
        let left = answer.unprocessed_keys.as_mut().and_then(|tables| tables.remove(&*self.ledger));
        Ok((found.unwrap_or_default(), left.map(|left| left.keys).unwrap_or_default()))
    }
}

/// A span of items, page by page.
pub(super) struct Pages<'a> {
    db: &'a Db,
    span: Span,
    order: Order,
    filter: Option<(&'static str, AttributeValue)>,
    after: Option<Item>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub fn new(db: &'a Db, span: Span, order: Order) -> Self {
        Self { db, span, order, filter: None, after: None, ended: false }
    }

    /// Leaves out what does not fulfil an expression over `:value`.
    #[must_use]
    pub fn that(self, expression: &'static str, value: AttributeValue) -> Self {
        Self { filter: Some((expression, value)), ..self }
    }

    /// The next page: what fits the filter among the next `most` items, or the
    /// next megabyte of them. `None` at the end.
    pub async fn next(&mut self, most: usize) -> Result<Option<Vec<Item>>> {
        if self.ended || most == 0 {
            return Ok(None);
        }
        let mut query = self
            .db
            .client
            .query()
            .table_name(&*self.db.ledger)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":partition", s(self.span.partition.as_str()))
            .expression_attribute_values(":low", s(self.span.low.as_str()))
            .expression_attribute_values(":high", s(self.span.high.as_str()))
            .scan_index_forward(matches!(self.order, Order::Rising))
            .set_exclusive_start_key(self.after.take())
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        if let Some((expression, value)) = &self.filter {
            query = query.filter_expression(*expression).expression_attribute_values(":value", value.clone());
        }
        let page = query.send().await.map_err(failed)?;
        self.after = page.last_evaluated_key;
        self.ended = self.after.is_none();
        Ok(Some(page.items.unwrap_or_default()))
    }
}

/// From nothing to all of a span, evenly.
fn jitter(span: Duration) -> Duration {
    span * u32::from(random::bytes::<1>()[0]) / 255
}
