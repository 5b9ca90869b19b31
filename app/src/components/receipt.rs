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

/// The bill of an agent.
#[component]
pub fn Receipt(agent: Live) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let session = Memo::new(move |_| lang.money(agent.meter().session, DECIMALS));
    let head = move || session.with(|sum| sum[..sum.len().saturating_sub(TICKING)].to_owned());
    let tail = move || session.with(|sum| sum[sum.len().saturating_sub(TICKING)..].to_owned());
    let runs = agent.memo(|view| view.meter.running);
    let today = Memo::new(move |_| lang.sum(agent.meter().today));
    let month = Memo::new(move |_| lang.sum(agent.meter().month));
    let rate = agent.memo(move |view| lang.rate(view.meter.rate));
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
        saved_percent(meter.month, full).map(|percent| (t.you_save)(&lang.percent(percent)))
    });
    view! {
        <section class="receipt-shell" aria-labelledby="receipt-title">
            <div class="receipt">
                <div class="receipt-head">
                    <h2 id="receipt-title">{t.bill}</h2>
                    <span class="estimate">{agent.peek(|view| basis(view.meter.basis, t))}</span>
                </div>
                <dl class="receipt-total">
                    <dt>{move || if runs.get() { t.session } else { t.last_session }}</dt>
                    <dd data-running=move || runs.get().to_string()>
                        {head} <span class="receipt-ticking">{tail}</span>
                    </dd>
                </dl>
                <dl class="receipt-lines">
                    <div>
                        <dt>{t.today}</dt>
                        <dd>{move || today.get()}</dd>
                    </div>
                    <div>
                        <dt>{t.this_month}</dt>
                        <dd>{move || month.get()}</dd>
                    </div>
                    <div>
                        <dt>{t.per_hour}</dt>
                        <dd>{move || rate.get()}</dd>
                    </div>
                </dl>
                <div class="receipt-compare">
                    <dl class="receipt-lines">
                        <div>
                            <dt>{t.always_on}</dt>
                            <dd class="receipt-struck">{move || always.get()}</dd>
                        </div>
                    </dl>
                    {move || saves.get().map(|saves| view! { <p class="receipt-saved">{saves}</p> })}
                </div>
                <p class="receipt-note">
                    {agent
                        .peek(|view| match view.meter.basis {
                            Basis::Estimate => t.bill_note,
                            Basis::Billed => t.bill_note_billed,
                            Basis::Unpriced => t.bill_note_unpriced,
                        })}
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
