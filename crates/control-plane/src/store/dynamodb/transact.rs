//! Several writes, all or none of them.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use crate::store::{Result, StoreError};

use super::error::{Cancelled, failed};
use super::item::{Item, key_item, s};
use super::key::Key;
use super::read::Db;
use super::tables::PARTITION;

/// What DynamoDB takes at once.
const PARTS_MAX: usize = 100;

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    Done,
    /// Nothing was written, for a condition does not hold: the first one's word
    /// for it, and the item as it is.
    Refused(T, Option<Item>),
}

/// Writes in the making. `T` says which part's condition did not hold.
pub(super) struct Transaction<'a, T> {
    db: &'a Db,
    parts: Vec<TransactWriteItem>,
    refusals: Vec<Option<T>>,
}

impl<'a, T> Transaction<'a, T> {
    pub fn new(db: &'a Db) -> Self {
        Self { db, parts: Vec::new(), refusals: Vec::new() }
    }

    /// Writes an item of the ledger, whatever was there.
    pub fn put(&mut self, item: Item) {
        let put = Put::builder().table_name(&*self.db.ledger).set_item(Some(item)).build();
        self.push(TransactWriteItem::builder().put(put.expect(COMPLETE)).build(), None);
    }

    /// Writes an item where none is.
    pub fn put_new(&mut self, item: Item, refusal: T) {
        self.put_if(&self.db.ledger, item, "attribute_not_exists(pk)", [], refusal);
    }

    /// Writes an item if what is there fulfils a condition.
    pub fn put_if<const N: usize>(
        &mut self,
        table: &str,
        item: Item,
        condition: &str,
        values: [(&str, AttributeValue); N],
        refusal: T,
    ) {
        let put = values
            .into_iter()
            .fold(Put::builder(), |put, (name, value)| put.expression_attribute_values(name, value))
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        self.push(TransactWriteItem::builder().put(put.expect(COMPLETE)).build(), Some(refusal));
    }

    /// Changes an item of the ledger, made where none is.
    pub fn update<const N: usize>(&mut self, key: &Key, update: &str, values: [(&str, AttributeValue); N]) {
        let update = self.updating(key, update, values).build();
        self.push(TransactWriteItem::builder().update(update.expect(COMPLETE)).build(), None);
    }

    /// The same, if what is there fulfils a condition.
    pub fn update_if<const N: usize>(
        &mut self,
        key: &Key,
        update: &str,
        condition: &str,
        values: [(&str, AttributeValue); N],
        refusal: T,
    ) {
        let update = self.updating(key, update, values).condition_expression(condition);
        let update = update
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        self.push(TransactWriteItem::builder().update(update.expect(COMPLETE)).build(), Some(refusal));
    }

    fn updating<const N: usize>(
        &self,
        key: &Key,
        update: &str,
        values: [(&str, AttributeValue); N],
    ) -> UpdateBuilder {
        values
            .into_iter()
            .fold(Update::builder(), |update, (name, value)| update.expression_attribute_values(name, value))
            .table_name(&*self.db.ledger)
            .set_key(Some(key_item(key)))
            .update_expression(update)
    }

    /// Removes an item of the ledger, if it is there.
    pub fn delete(&mut self, key: &Key) {
        let delete = Delete::builder().table_name(&*self.db.ledger).set_key(Some(key_item(key))).build();
        self.push(TransactWriteItem::builder().delete(delete.expect(COMPLETE)).build(), None);
    }

    /// Gives an item of the ledger that must be there one other value, or none.
    /// The attribute may have a name that DynamoDB keeps for itself.
    pub fn set_there(&mut self, key: &Key, attribute: &str, value: Option<AttributeValue>, refusal: T) {
        let update = Update::builder()
            .table_name(&*self.db.ledger)
            .set_key(Some(key_item(key)))
            .expression_attribute_names("#attribute", attribute)
            .condition_expression("attribute_exists(pk)");
        let update = match value {
            Some(value) => update
                .update_expression("SET #attribute = :value")
                .expression_attribute_values(":value", value),
            None => update.update_expression("REMOVE #attribute"),
        };
        let part = TransactWriteItem::builder().update(update.build().expect(COMPLETE)).build();
        self.push(part, Some(refusal));
    }

    /// Removes an item of what expires, if it is there.
    pub fn delete_expiring(&mut self, key: String) {
        let key = Item::from([(PARTITION.to_owned(), s(key))]);
        let delete = Delete::builder().table_name(&*self.db.expiring).set_key(Some(key)).build();
        self.push(TransactWriteItem::builder().delete(delete.expect(COMPLETE)).build(), None);
    }

    /// Removes an item of the ledger if what is there fulfils a condition.
    pub fn delete_if<const N: usize>(
        &mut self,
        key: &Key,
        condition: &str,
        values: [(&str, AttributeValue); N],
        refusal: T,
    ) {
        let delete = values
            .into_iter()
            .fold(Delete::builder(), |delete, (name, value)| delete.expression_attribute_values(name, value))
            .table_name(&*self.db.ledger)
            .set_key(Some(key_item(key)))
            .condition_expression(condition)
            .build();
        self.push(TransactWriteItem::builder().delete(delete.expect(COMPLETE)).build(), Some(refusal));
    }

    /// Removes an item of the ledger that must be there.
    pub fn delete_there(&mut self, key: &Key, refusal: T) {
        let delete = Delete::builder()
            .table_name(&*self.db.ledger)
            .set_key(Some(key_item(key)))
            .condition_expression("attribute_exists(pk)")
            .build();
        self.push(TransactWriteItem::builder().delete(delete.expect(COMPLETE)).build(), Some(refusal));
    }

    fn push(&mut self, part: TransactWriteItem, refusal: Option<T>) {
        self.parts.push(part);
        self.refusals.push(refusal);
    }

    /// Commits all of it, or nothing. The SDK gives it the token by which a
    /// repeated try is known.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when others were writing to the same items at
    /// each of the tries.
    pub async fn run(mut self) -> Result<Outcome<T>> {
        if self.parts.len() > PARTS_MAX {
            let parts = self.parts.len();
            return Err(StoreError::Failed(format!("{parts} items are more than one transaction takes")));
        }
        let request = self.db.client.transact_write_items().set_transact_items(Some(self.parts));
        let Err(error) = request.send().await else { return Ok(Outcome::Done) };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return Err(failed(error));
        };
        let reasons = cancelled.cancellation_reasons();
        match Cancelled::by(reasons) {
            Cancelled::Condition(part) => match self.refusals.get_mut(part).and_then(Option::take) {
                Some(refusal) => Ok(Outcome::Refused(refusal, reasons[part].item.clone())),
                None => Err(failed(error)),
            },
            Cancelled::Contended => Err(StoreError::Conflict),
            Cancelled::Throttled => Err(StoreError::Unavailable("the transaction was throttled".to_owned())),
            Cancelled::Invalid(why) => Err(StoreError::Failed(why)),
        }
    }
}

const COMPLETE: &str = "table, item and key are given";
