//! The proposal's table as a calculator: prices come from the book, the sum is
//! made where it is looked at.

use domain::money::NanoDollars;
use domain::price::{Basis, Plan, Purchase, Quote};
use domain::size::Size;
use leptos::prelude::*;

use crate::components::house::use_me;
use crate::components::spawn::{size_name, size_spec};
use crate::i18n::use_lang;

/// More than anybody asks of it, and no sum is ever too large.
const AGENTS_MOST: u32 = 1_000_000;
const STORAGE_MOST: u32 = 200;

/// `plan` outlives it: the month around it is drawn anew while it is looked at.
#[component]
pub fn Calculator(plan: RwSignal<Plan>) -> impl IntoView {
    let (lang, me) = (use_lang(), use_me());
    let t = lang.spend();
    let filled = plan.get_untracked();
    let prices = StoredValue::new(me.prices);
    let quote = Memo::new(move |_| prices.with_value(|prices| plan.get().quote(prices)));
    let whole = |event: &leptos::ev::Event| event_target_value(event).trim().parse::<u32>().ok();
    let agents = move |event: leptos::ev::Event| {
        if let Some(agents) = whole(&event) {
            plan.update(|plan| plan.agents = agents.min(AGENTS_MOST));
        }
    };
    let hours = move |event: leptos::ev::Event| {
        if let Some(hours) = whole(&event) {
            plan.update(|plan| plan.hours_a_day = hours.min(24));
        }
    };
    let storage = move |event: leptos::ev::Event| {
        if let Some(gb) = whole(&event) {
            plan.update(|plan| plan.storage_gb = gb.min(STORAGE_MOST));
        }
    };
    let sizes = Size::ALL.into_iter().map(|size| {
        let (cpu, memory) = size_spec(size, lang);
        let name = format!("{} · {cpu}, {memory}", size_name(size, lang.strings()));
        view! { <option value=size.as_str() selected=size == filled.size>{name}</option> }
    });
    let size = move |event| {
        let word = event_target_value(&event);
        if let Some(size) = Size::ALL.into_iter().find(|size| size.as_str() == word) {
            plan.update(|plan| plan.size = size);
        }
    };
    let purchases = Purchase::ALL.into_iter().map(|bought| {
        view! {
            <option value=bought.as_str() selected=bought == filled.purchase>{t.purchase(bought)}</option>
        }
    });
    let bought = move |event| {
        let word = event_target_value(&event);
        if let Some(bought) = Purchase::ALL.into_iter().find(|bought| bought.as_str() == word) {
            plan.update(|plan| plan.purchase = bought);
        }
    };
    let sum = move |of: fn(&Quote) -> Option<NanoDollars>| {
        move || match quote.with(of) {
            Some(sum) => view! { {lang.money(sum, 2)} }.into_any(),
            None => {
                view! { <span data-basis=Basis::Unpriced.as_str()>{lang.fleet().unknown}</span> }.into_any()
            }
        }
    };
    view! {
        <section class="spend-part calculator" aria-labelledby="calculator-title">
            <h2 id="calculator-title">{t.calculator}</h2>
            <p class="soft">{t.calculator_lead}</p>
            <div class="calculator-body">
                <form class="panel calculator-form" on:submit=|event| event.prevent_default()>
                    <label class="field">
                        <span>{t.agents}</span>
                        <input
                            class="input"
                            r#type="number"
                            name="agents"
                            min="0"
                            max=AGENTS_MOST.to_string()
                            value=filled.agents.to_string()
                            on:input=agents
                        />
                    </label>
                    <label class="field">
                        <span>{t.size}</span>
                        <select class="select" name="size" on:change=size>{sizes.collect_view()}</select>
                    </label>
                    <label class="field">
                        <span>{t.bought}</span>
                        <select class="select" name="bought" on:change=bought>{purchases.collect_view()}</select>
                    </label>
                    <label class="field">
                        <span>
                            {t.hours_a_day} " " <output class="numerals">{move || plan.get().hours_a_day}</output>
                        </span>
                        <input
                            r#type="range"
                            name="hours"
                            min="0"
                            max="24"
                            value=filled.hours_a_day.to_string()
                            on:input=hours
                        />
                    </label>
                    <label class="field">
                        <span>{t.storage}</span>
                        <input
                            class="input"
                            r#type="number"
                            name="storage"
                            min="20"
                            max=STORAGE_MOST.to_string()
                            value=filled.storage_gb.to_string()
                            on:input=storage
                        />
                    </label>
                    <label class="check">
                        <input
                            r#type="checkbox"
                            name="addresses"
                            checked=filled.addresses
                            on:change=move |event| plan.update(|plan| plan.addresses = event_target_checked(&event))
                        />
                        {t.addresses}
                    </label>
                </form>
                <div class="receipt-shell">
                    <div class="receipt">
                        <dl class="receipt-total">
                            <dt>{t.a_month}</dt>
                            <dd class="calculator-total" aria-live="polite">{sum(|quote| quote.total)}</dd>
                        </dl>
                        <dl class="receipt-lines">
                            <div><dt>{t.machines}</dt><dd>{sum(|quote| quote.machines)}</dd></div>
                            <div><dt>{t.addresses_line}</dt><dd>{sum(|quote| quote.addresses)}</dd></div>
                            <div><dt>{t.storage_line}</dt><dd>{sum(|quote| quote.storage)}</dd></div>
                        </dl>
                        <div class="receipt-compare">
                            <dl class="receipt-lines">
                                <div>
                                    <dt>{move || (t.with_t4g)(&lang.count(plan.get().agents.into()))}</dt>
                                    <dd>{sum(|quote| Some(quote.t4g_small))}</dd>
                                </div>
                            </dl>
                        </div>
                        <p class="receipt-note">{t.calculator_note}</p>
                    </div>
                </div>
            </div>
        </section>
    }
    .into_any()
}
