//! «Presupuestos», for who may set them.

use domain::budget::{Budget, Delivery, Listed, Notice, Subject};
use domain::money::NanoDollars;
use domain::price::Basis;
use domain::size::Size;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{FaultPage, Nothing};
use crate::api::{self, Whose};
use crate::components::act::use_act;
use crate::components::dialog::{Dialog, DialogFoot, DialogHandle};
use crate::components::form::Submit;
use crate::components::icon::icon;
use crate::components::spawn::size_name;
use crate::components::when::use_teller;
use crate::error::ErrorCode;
use crate::i18n::{self, Unread, use_lang};

/// All budgets.
#[component]
pub fn BudgetsPage() -> impl IntoView {
    let t = use_lang().budgets();
    let budgets = Resource::new_blocking(|| (), |()| api::list_budgets());
    let page = move || {
        budgets.get().map(|budgets| match budgets {
            Ok(budgets) => view! { <Budgets budgets /> }.into_any(),
            Err(error) if error.code == ErrorCode::Forbidden => view! { <Nothing /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.title) />
        <Suspense>{page}</Suspense>
    }
    .into_any()
}

/// What the dialog is about: a budget that is there, or a new one.
#[derive(Clone)]
enum Editing {
    New,
    Of(Box<Listed>),
}

#[component]
fn Budgets(budgets: Vec<Listed>) -> impl IntoView {
    let t = use_lang().budgets();
    let listed = RwSignal::new(budgets);
    let editing = RwSignal::new(None::<Editing>);
    let rows = move || listed.get().into_iter().map(|budget| view! { <Row budget editing /> }).collect_view();
    view! {
        <main class="page page-wide budgets" id="main">
            <div class="page-head">
                <div>
                    <h1>{t.title}</h1>
                    <p class="page-lead">{t.lead}</p>
                </div>
                <button
                    class="button button-primary"
                    r#type="button"
                    on:click=move |_| editing.set(Some(Editing::New))
                >
                    {icon("plus")}
                    {t.new}
                </button>
            </div>
            {move || listed.with(Vec::is_empty).then(|| view! { <p class="fleet-none">{t.none}</p> })}
            <div class="budgets-scroll" hidden=move || listed.with(Vec::is_empty)>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{t.who}</th>
                            <th scope="col">{t.spent}</th>
                            <th scope="col">{t.awake}</th>
                            <th scope="col">{t.sizes}</th>
                            <th scope="col">{t.notices}</th>
                            <td></td>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </main>
        {move || editing.get().map(|what| view! { <Edit what editing listed /> })}
    }
    .into_any()
}

#[component]
fn Row(budget: Listed, editing: RwSignal<Option<Editing>>) -> impl IntoView {
    let lang = use_lang();
    let (t, strings) = (lang.budgets(), lang.strings());
    let name = whose(&budget, t.fleet);
    let Listed { budget: Budget { month, awake, sizes }, notices, standing, .. } = budget.clone();
    let spent = standing.map(|standing| standing.spent);
    let percent = spent.and_then(|spent| budget.budget.used(spent));
    let level = match percent {
        Some(100..) => "spent",
        Some(80..) => "near",
        _ => "well",
    };
    let money = |amount: NanoDollars| lang.money(amount, 2);
    let is_unpriced = standing.is_some_and(|standing| standing.unpriced);
    let used = spent.map(|spent| match (spent, is_unpriced) {
        (_, false) => money(spent),
        (NanoDollars::ZERO, true) => lang.fleet().unknown.to_owned(),
        (_, true) => format!("{} + {}", money(spent), lang.fleet().unknown),
    });
    let sums = match (used, month) {
        (Some(used), Some(month)) => (t.of_limit)(&used, &money(month)),
        (Some(used), None) => format!("{used} · {}", t.no_limit),
        (None, month) => month.map_or_else(|| t.no_limit.to_owned(), money),
    };
    let count = standing.map(|standing| lang.count(standing.awake.into()));
    let most = awake.map(|awake| lang.count(awake.into()));
    let counts = match (count, most) {
        (Some(count), Some(most)) => (t.of_limit)(&count, &most),
        (Some(count), None) => count,
        (None, most) => most.unwrap_or_else(|| t.no_limit.to_owned()),
    };
    let sizes = sizes.map_or_else(
        || t.all_sizes.to_owned(),
        |sizes| sizes.iter().map(|size| size_name(*size, strings)).collect::<Vec<_>>().join(", "),
    );
    let told = notices.into_iter().rev().take(3).map(|notice| view! { <Told notice /> }).collect_view();
    let label = format!("{}: {name}", t.change);
    let change = move |_| editing.set(Some(Editing::Of(Box::new(budget.clone()))));
    view! {
        <tr data-level=level>
            <th scope="row">{name}</th>
            <td class="numerals" data-label=t.spent data-basis=is_unpriced.then(|| Basis::Unpriced.as_str())>
                {sums}
                {percent
                    .map(|percent| view! {
                        <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                            <rect class="share-all" width="100" height="4" />
                            <rect width=percent.min(100).to_string() height="4" />
                        </svg>
                    })}
            </td>
            <td class="numerals" data-label=t.awake>{counts}</td>
            <td data-label=t.sizes>{sizes}</td>
            <td data-label=t.notices>
                <ul class="budgets-told">{told}</ul>
            </td>
            <td>
                <button class="button button-quiet button-small" r#type="button" aria-label=label on:click=change>
                    {t.change}
                </button>
            </td>
        </tr>
    }
    .into_any()
}

/// That so much was used, and whether that was sent.
#[component]
fn Told(notice: Notice) -> impl IntoView {
    let (lang, teller) = (use_lang(), use_teller());
    let t = lang.budgets();
    let (state, why) = match notice.delivery {
        None => (None, None),
        Some(Delivery::Waiting { .. }) => (Some(t.waiting), None),
        Some(Delivery::Sent { .. }) => (Some(t.sent), None),
        Some(Delivery::Dead { why, .. }) => (Some(t.dead), Some(why)),
    };
    let dead = why.is_some();
    view! {
        <li data-dead=dead.to_string()>
            {move || (t.notice)(&lang.percent(notice.percent.into()), &teller.day(notice.at))}
            {state.map(|state| format!(" · {state}"))}
            {why.map(|why| view! { <span class="small">": " {why}</span> })}
        </li>
    }
    .into_any()
}

fn whose(budget: &Listed, fleet: &str) -> String {
    match (&budget.of, &budget.name) {
        (Subject::Fleet, _) => fleet.to_owned(),
        (_, Some(name)) => name.to_string(),
        (of, None) => of.to_string(),
    }
}

#[component]
fn Edit(what: Editing, editing: RwSignal<Option<Editing>>, listed: RwSignal<Vec<Listed>>) -> impl IntoView {
    let lang = use_lang();
    let (t, act, handle) = (lang.budgets(), use_act(), DialogHandle::new());
    let before = match &what {
        Editing::New => Budget::default(),
        Editing::Of(listed) => listed.budget.clone(),
    };
    let title = match &what {
        Editing::New => t.new.to_owned(),
        Editing::Of(listed) => (t.change_of)(&whose(listed, t.fleet)),
    };
    let is_new = matches!(what, Editing::New);
    let kind = RwSignal::new(match &what {
        Editing::Of(listed) => match listed.of {
            Subject::Fleet => "fleet",
            Subject::Team(_) => "team",
            Subject::Person(_) => "person",
        },
        Editing::New => "person",
    });
    let name = RwSignal::new(match &what {
        Editing::Of(listed) => listed.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        Editing::New => String::new(),
    });
    let month = RwSignal::new(before.month.map(|month| lang.typed(month)).unwrap_or_default());
    let awake = RwSignal::new(before.awake.map(|awake| awake.to_string()).unwrap_or_default());
    let sizes = RwSignal::new(before.sizes.unwrap_or_else(|| Size::ALL.to_vec()));
    let unread = RwSignal::new((None::<Unread>, None::<Unread>));
    let submit = move || {
        let read_month = limit(&month.read_untracked(), i18n::dollars);
        let read_awake = limit(&awake.read_untracked(), i18n::count);
        let (month, awake) = match (read_month, read_awake) {
            (Ok(month), Ok(awake)) => (month, awake),
            (month, awake) => return unread.set((month.err(), awake.err())),
        };
        unread.set((None, None));
        let whose = match kind.get_untracked() {
            "fleet" => Whose::Fleet,
            "team" => Whose::Team(name.get_untracked()),
            _ => Whose::Person(name.get_untracked()),
        };
        let month = month.map(|month| month.to_decimal(9));
        let sizes = Some(sizes.get_untracked()).filter(|sizes| sizes.len() < Size::ALL.len());
        act.run(api::set_budget(whose, month, awake, sizes), move |all| {
            listed.set(all);
            handle.close();
        });
    };
    let kinds = [("person", t.person), ("team", t.team), ("fleet", t.fleet)].map(
        |(word, name)| view! { <option value=word selected=word == kind.get_untracked()>{name}</option> },
    );
    let choose = move |event| {
        let word = event_target_value(&event);
        kind.set(["fleet", "team"].into_iter().find(|known| *known == word).unwrap_or("person"));
    };
    let checks = Size::ALL.into_iter().map(move |size| {
        let press = move |event| {
            let wanted = event_target_checked(&event);
            sizes.update(|sizes| {
                sizes.retain(|known| *known != size);
                if wanted {
                    sizes.push(size);
                }
            });
        };
        view! {
            <label class="check">
                <input
                    r#type="checkbox"
                    value=size.as_str()
                    checked=sizes.with_untracked(|sizes| sizes.contains(&size))
                    on:change=press
                />
                {size_name(size, lang.strings())}
            </label>
        }
    });
    view! {
        <Dialog
            handle
            id="budget"
            title=Signal::stored(title)
            small=true
            submit
            closed=Callback::new(move |()| editing.set(None))
        >
            <div class="dialog-body stack">
                {is_new
                    .then(|| view! {
                        <label class="field">
                            <span>{t.who}</span>
                            <select class="select" name="who" on:change=choose>
                                {kinds.into_iter().collect_view()}
                            </select>
                        </label>
                        <label class="field" hidden=move || kind.get() == "fleet">
                            <span>{t.name}</span>
                            <input
                                class="input"
                                name="name"
                                autocomplete="off"
                                required=move || kind.get() != "fleet"
                                on:input=move |event| name.set(event_target_value(&event))
                            />
                        </label>
                    })}
                <LimitField
                    name="month"
                    keys="decimal"
                    label=t.month
                    hint=(t.month_hint)(&lang.typed(i18n::EXAMPLE))
                    value=month
                    unread=Signal::derive(move || unread.with(|(month, _)| month.clone()))
                />
                <LimitField
                    name="awake"
                    keys="numeric"
                    label=t.awake
                    hint=t.awake_hint
                    value=awake
                    unread=Signal::derive(move || unread.with(|(_, awake)| awake.clone()))
                />
                <fieldset class="budget-sizes">
                    <legend>{t.sizes}</legend>
                    {checks.collect_view()}
                </fieldset>
            </div>
            <DialogFoot handle>
                <Submit act word=t.save />
            </DialogFoot>
        </Dialog>
    }
    .into_any()
}

/// What a field says; nothing where it is empty.
fn limit<T>(text: &str, read: fn(&str) -> Result<T, Unread>) -> Result<Option<T>, Unread> {
    if text.trim().is_empty() { Ok(None) } else { read(text).map(Some) }
}

/// A limit as text, so that what can't be read is said and never taken for none.
#[component]
fn LimitField(
    name: &'static str,
    /// Which keys a phone offers.
    keys: &'static str,
    label: &'static str,
    #[prop(into)] hint: String,
    value: RwSignal<String>,
    unread: Signal<Option<Unread>>,
) -> impl IntoView {
    let lang = use_lang();
    let (id, hint_id, error_id) =
        (format!("budget-{name}"), format!("budget-{name}-hint"), format!("budget-{name}-error"));
    let field = NodeRef::<leptos::html::Input>::new();
    Effect::new(move || {
        if let (true, Some(field)) = (unread.with(Option::is_some), field.get()) {
            // It fails only for what is not on the page any more.
            let _ = field.focus();
        }
    });
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                id=id
                name=name
                node_ref=field
                inputmode=keys
                autocomplete="off"
                aria-describedby=format!("{hint_id} {error_id}")
                aria-invalid=move || unread.with(Option::is_some).to_string()
                value=value.get_untracked()
                on:input=move |event| value.set(event_target_value(&event))
            />
            <p class="field-hint" id=hint_id>
                {hint}
            </p>
            <p class="field-error" id=error_id role="alert">
                {move || unread.get().map(|why| lang.unread(&why))}
            </p>
        </div>
    }
    .into_any()
}
