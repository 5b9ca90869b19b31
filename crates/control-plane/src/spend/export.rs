//! A month's lines for spreadsheets and programs: one for each day, agent and
//! kind of use, with what runs now.

use std::sync::Arc;

use domain::id::UserId;
use domain::price::Basis;
use domain::spend::Scope;
use domain::time::Month;
use domain::usage::{Amount, Line, Of};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::{Spend, Whose};
use crate::error::{Error, Result};
use crate::identity::Principal;
use crate::store::usage::View;

/// A line of the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// UTC.
    pub day: String,
    pub owner: String,
    pub agent: String,
    pub provider: &'static str,
    pub purchase: &'static str,
    pub basis: &'static str,
    pub size: &'static str,
    pub awake_ms: u64,
    /// Exact, as text: a spreadsheet's or a program's float would round it.
    /// Nothing where the price is unknown.
    pub usd: Option<String>,
}

impl Row {
    /// The names of a CSV's fields.
    pub const HEAD: &str = "day,owner,agent,provider,purchase,basis,size,awake_ms,usd";

    fn of(owner: UserId, line: &Line, amount: Amount) -> Option<Self> {
        let Of::Day(day, Some(agent)) = line.of else { return None };
        let kind = line.kind;
        Some(Self {
            day: day.to_string(),
            owner: owner.to_string(),
            agent: agent.to_string(),
            provider: kind.provider.as_str(),
            purchase: kind.purchase.as_str(),
            basis: kind.basis.as_str(),
            size: kind.size.as_str(),
            awake_ms: amount.awake_ms,
            usd: (kind.basis != Basis::Unpriced).then(|| amount.cost.to_decimal(9)),
        })
    }

    /// No field holds a comma, a quote or a line's end: all are ids and words.
    pub fn csv(&self) -> String {
        let Self { day, owner, agent, provider, purchase, basis, size, awake_ms, usd } = self;
        let usd = usd.as_deref().unwrap_or_default();
        format!("{day},{owner},{agent},{provider},{purchase},{basis},{size},{awake_ms},{usd}")
    }
}

impl Spend {
    /// A month of the caller's, or by right of a role everybody's, owner by
    /// owner as it is taken.
    pub async fn export(
        self: Arc<Self>,
        who: &Principal,
        scope: Scope,
        month: Month,
    ) -> Result<impl Stream<Item = Result<Row>> + use<>> {
        let owners = match self.whose(who, scope).await? {
            Whose::Owner(owner) => vec![owner],
            Whose::Fleet => self.owners(month).await?,
        };
        Ok(self.rows(owners, month))
    }

    /// Everybody's, for whoever may run commands on the installation.
    pub async fn export_all(
        self: Arc<Self>,
        month: Month,
    ) -> Result<impl Stream<Item = Result<Row>> + use<>> {
        let owners = self.owners(month).await?;
        Ok(self.rows(owners, month))
    }

    async fn owners(&self, month: Month) -> Result<Vec<UserId>> {
        let lines = self.fleet(month, View::Owners).await?;
        let mut owners: Vec<UserId> = lines
            .into_keys()
            .filter_map(|line| match line.of {
                Of::Owner(owner) => Some(owner),
                _ => None,
            })
            .collect();
        owners.dedup();
        Ok(owners)
    }

    fn rows(self: Arc<Self>, owners: Vec<UserId>, month: Month) -> impl Stream<Item = Result<Row>> + use<> {
        let each = futures::stream::iter(owners).then(move |owner| {
            let spend = Arc::clone(&self);
            async move {
                let lines = spend.of(owner, month, View::Days).await?;
                let rows: Vec<_> =
                    lines.iter().filter_map(|(line, amount)| Row::of(owner, line, *amount)).map(Ok).collect();
                Ok::<_, Error>(futures::stream::iter(rows))
            }
        });
        each.try_flatten()
    }
}
