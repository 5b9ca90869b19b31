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
    #[arg(long, value_name = "FILE", required_unless_present = "provider")]
    pub report: Option<PathBuf>,
    /// In the place of a report: what the provider itself still tells of its runs.
    #[arg(long, conflicts_with_all = ["report", "month"])]
    pub provider: bool,
    /// Where the agents' tasks are, with --provider and --engine aws.
    #[arg(long, env = "OPENCLAW_CLOUD_CLUSTER")]
    pub cluster: Option<String>,
    /// `YYYY-MM`, in UTC; this month unless told.
    #[arg(long, value_name = "MONTH")]
    pub month: Option<Month>,
    /// Dollars by which a run's price may differ.
    #[arg(long, value_name = "USD", default_value = "0.000001", value_parser = dollars)]
    pub tolerance_usd: NanoDollars,
}
