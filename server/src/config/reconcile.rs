//! `spend reconcile`.

use std::path::PathBuf;

use clap::Args;
use domain::money::NanoDollars;
use domain::time::Month;

use super::{Ledger, dollars};

#[derive(Debug, Args)]
pub struct Reconcile {
    #[command(flatten)]
    pub ledger: Ledger,
    /// A Cost and Usage Report of AWS, legacy or 2.0, as CSV that is unpacked.
    #[arg(long, value_name = "FILE")]
    pub report: PathBuf,
    /// `YYYY-MM`, in UTC; this month unless told.
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
    /// Dollars by which a run's price may differ.
    #[arg(long, value_name = "USD", default_value = "0.000001", value_parser = dollars)]
    pub tolerance_usd: NanoDollars,
}
