//! The live meter, as a till receipt.

use std::time::Duration;

use domain::money::NanoDollars;
use domain::price::Basis;
use leptos::prelude::*;

use crate::i18n::{Strings, use_lang, use_strings};
use crate::live::Live;

/// Decimals of the sum that ticks: at the smallest size's rate the last one
/// moves ten times a second.
const DECIMALS: u32 = 7;
/// Before an agent is so old, what it saved tells nothing.
const TELLING: Duration = Duration::from_secs(60);
/// Digits at its end that are set apart as those that tick.
const TICKING: usize = 4;

/// What part of always being awake this month so far was saved, in whole
/// percent.
fn saved_percent(month: NanoDollars, full: NanoDollars) -> Option<u64> {
    let (month, full) = (u64::try_from(month.0).ok()?, u64::try_from(full.0).ok()?);
    if full == 0 || month >= full {
        return None;
    }
    Some((full - month).saturating_mul(100) / full).filter(|percent| *percent > 0)
}

/// What a price is called.
pub fn basis(basis: Basis, t: &Strings) -> &'static str {
    match basis {
        Basis::Estimate => t.estimate,
        Basis::Billed => t.list_price,
        Basis::Unpriced => t.price_unknown,
    }
}

/// A figure of an agent's meter; without a price it is unknown, and red.
#[component]
pub fn Figure(
    /// What it reads, where that is known.
    #[prop(into)]
    read: Signal<Option<String>>,
) -> impl IntoView {
    let lang = use_lang();
    let is_known = Memo::new(move |_| read.with(Option::is_some));
    move || match is_known.get() {
        true => view! { {move || read.get()} }.into_any(),
        false => view! { <span data-basis=Basis::Unpriced.as_str()>{lang.fleet().unknown}</span> }.into_any(),
    }
}

/// What an hour of an agent costs, if that is known.
pub fn rate(agent: Live) -> Memo<Option<String>> {
    let lang = use_lang();
    agent.memo(move |view| view.meter.is_priced().then(|| lang.rate(view.meter.rate)))
}

/// The bill of an agent.
#[component]
pub fn Receipt(agent: Live) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let is_priced = agent.memo(|view| view.meter.is_priced());
    let priced_by = agent.memo(|view| view.meter.basis);
    let session = Memo::new(move |_| Some(lang.money(agent.meter().session?, DECIMALS)));
    let digits = |sum: &String| sum.len().saturating_sub(TICKING);
    let head = Memo::new(move |_| session.with(|sum| sum.as_ref().map(|sum| sum[..digits(sum)].to_owned())));
    let tail = move || session.with(|sum| sum.as_ref().map(|sum| sum[digits(sum)..].to_owned()));
    let runs = agent.memo(|view| view.meter.running);
    let today = Memo::new(move |_| agent.meter().today.map(|sum| lang.sum(sum)));
    let month = Memo::new(move |_| agent.meter().month.map(|sum| lang.sum(sum)));
    let always = agent.memo(move |view| (t.a_month)(&lang.money(view.meter.always_on_month(), 2)));
    let saves = Memo::new(move |_| {
        let meter = agent.meter();
        // Had it been awake since it was made, or since the month began.
        let since = agent.read(|view| view.created_at).max(meter.as_of.month().start());
        let span = meter.as_of.since(since);
        let full = meter.rate.over(span);
        if span < TELLING {
            return None;
        }
        saved_percent(meter.month?, full).map(|percent| (t.you_save)(&lang.percent(percent)))
    });
    view! {
        <section class="receipt-shell" aria-labelledby="receipt-title">
            <div class="receipt">
                <div class="receipt-head">
                    <h2 id="receipt-title">{t.bill}</h2>
                    <span class="estimate">{move || basis(priced_by.get(), t)}</span>
                </div>
                <dl class="receipt-total">
                    <dt>{move || if runs.get() { t.session } else { t.last_session }}</dt>
                    <dd data-running=move || runs.get().to_string()>
                        <Figure read=head />
                        <span class="receipt-ticking">{tail}</span>
                    </dd>
                </dl>
                <dl class="receipt-lines">
                    <div>
                        <dt>{t.today}</dt>
                        <dd><Figure read=today /></dd>
                    </div>
                    <div>
                        <dt>{t.this_month}</dt>
                        <dd><Figure read=month /></dd>
                    </div>
                    <div>
                        <dt>{t.per_hour}</dt>
                        <dd><Figure read=rate(agent) /></dd>
                    </div>
                </dl>
                // What it costs without sleep can't be compared with what is not known.
                <div class="receipt-compare" hidden=move || !is_priced.get()>
                    <dl class="receipt-lines">
                        <div>
                            <dt>{t.always_on}</dt>
                            <dd class="receipt-struck">{move || always.get()}</dd>
                        </div>
                    </dl>
                    {move || saves.get().map(|saves| view! { <p class="receipt-saved">{saves}</p> })}
                </div>
                <p class="receipt-note">
                    {move || match priced_by.get() {
                        Basis::Estimate => t.bill_note,
                        Basis::Billed => t.bill_note_billed,
                        Basis::Unpriced => t.bill_note_unpriced,
                    }}
                </p>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_really_saved_is_claimed() {
        let dollars = |dollars: i64| NanoDollars(dollars * 1_000_000_000);
        assert_eq!(saved_percent(dollars(6), dollars(100)), Some(94));
        assert_eq!(saved_percent(dollars(100), dollars(100)), None);
        assert_eq!(saved_percent(dollars(0), dollars(0)), None);
        assert_eq!(saved_percent(NanoDollars(-5), dollars(1)), None);
    }
}
