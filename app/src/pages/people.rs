//! «Personas»: who comes in here, and what they may. For administrators.

use domain::access::Access;
use domain::name::Name;
use domain::role::Role;
use domain::time::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::use_query_map;

use super::{FaultPage, Nothing};
use crate::api::{self, InvitationView, PersonView};
use crate::components::access::{AccessItem, CloseAccessDialog};
use crate::components::act::use_act;
use crate::components::command::Command;
use crate::components::dialog::{Dialog, DialogFoot, DialogHandle};
use crate::components::errors;
use crate::components::form::{Submit, TakeBack, TextField};
use crate::components::house::use_me;
use crate::components::icon::icon;
use crate::components::toasts::Toaster;
use crate::components::when::use_teller;
use crate::error::ErrorCode;
use crate::i18n::{use_lang, use_strings};

/// The page.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let p = use_strings().people;
    let params = use_query_map();
    let after = Memo::new(move |_| params.with(|params| params.get("after")));
    let found = Resource::new_blocking(move || after.get(), api::people);
    let page = move || {
        found.get().map(|found| match found {
            Ok(page) => view! { <People page /> }.into_any(),
            // Whoever may not see it need not know that it is there.
            Err(error) if error.code == ErrorCode::Forbidden => view! { <Nothing /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", p.people) />
        <Suspense>{page}</Suspense>
    }
    .into_any()
}

#[component]
fn People(page: api::PeoplePage) -> impl IntoView {
    let p = use_strings().people;
    let api::PeoplePage { people, more, invitations, now } = page;
    let next = people.last().filter(|_| more).map(|last| format!("/people?after={}", encoded(&last.name)));
    let invitations = RwSignal::new(invitations);
    let inviting = RwSignal::new(false);
    let rows = people.into_iter().map(|person| view! { <Person person now /> }).collect_view();
    let close = Callback::new(move |()| inviting.set(false));
    view! {
        <main class="page" id="main">
            <div class="page-head">
                <div>
                    <h1>{p.people}</h1>
                    <p class="page-lead">{p.people_lead}</p>
                </div>
                <button
                    class="button button-primary"
                    r#type="button"
                    on:click=move |_| inviting.set(true)
                >
                    {icon("plus")}
                    {p.invite}
                </button>
            </div>
            <div class="roll" role="table" aria-label=p.people>
                <div class="roll-head" role="row">
                    <span role="columnheader">{p.name}</span>
                    <span role="columnheader">{p.role}</span>
                    <span role="columnheader">{p.team}</span>
                    <span role="columnheader">{p.seen}</span>
                    <span role="columnheader">{p.agents}</span>
                    <span role="columnheader">
                        <span class="visually-hidden">{p.more}</span>
                    </span>
                </div>
                {rows}
            </div>
            {next.map(|next| view! { <A href=next attr:class="button">{p.next_page}</A> })}
            <Invitations invitations />
            {move || inviting.get().then(|| view! { <InviteDialog invitations closed=close /> })}
        </main>
    }
    .into_any()
}

/// A name as a part of an address.
fn encoded(name: &Name) -> String {
    leptos_router::params::ParamsMap::from_iter([("n", name.to_string())])
        .to_query_string()
        .trim_start_matches("?n=")
        .to_owned()
}

#[component]
fn Person(person: PersonView, now: Timestamp) -> impl IntoView {
    let (lang, t, act, me, teller) = (use_lang(), use_strings(), use_act(), use_me(), use_teller());
    let p = t.people;
    let toaster: Toaster = expect_context();
    let mine = me.name == person.name;
    let name = StoredValue::new(person.name.clone());
    let seen_at = person.seen_at;
    let seen = move || seen_at.map_or_else(|| p.never_seen.to_owned(), |at| teller.ago(at, now));
    let agents = format!("/fleet?owner={}", encoded(&person.name));
    let count = lang.count(person.agents.into());
    let label = format!("{}: {count}", p.agents);
    let access = RwSignal::new(person.access);
    let person = RwSignal::new(person);
    let closing = RwSignal::new(false);
    let stop_closing = Callback::new(move |()| closing.set(false));
    let is_closed = move || {
        (access.get() == Access::Closed)
            .then(|| view! { " " <span class="outcome" data-outcome="refused">{lang.access().closed}</span> })
    };
    let changing = RwSignal::new(false);
    let close = Callback::new(move |()| changing.set(false));
    let sign_out = move |_| {
        let name = name.get_value();
        act.run(api::end_sessions_of(name.to_string()), move |()| {
            toaster.say((p.signed_out)(name.as_str()));
        });
    };
    let role = move || person.with(|person| p.role(person.role));
    let team = move || {
        person.with(|person| person.team.as_ref().map_or_else(|| p.no_team.to_owned(), ToString::to_string))
    };
    view! {
        <div class="roll-row" role="row">
            <span role="cell" data-column="name">
                <strong>{name.get_value().to_string()}</strong>
                {mine.then(|| view! { " " <span class="estimate">{p.you}</span> })}
                {is_closed}
            </span>
            <span role="cell" data-column="role">{role}</span>
            <span role="cell" data-column="team" class="soft">{team}</span>
            <span role="cell" data-column="seen" class="soft">{seen}</span>
            <span role="cell" data-column="agents">
                <A href=agents attr:aria-label=label>{count}</A>
            </span>
            <span role="cell" data-column="more">
                <details class="menu">
                    <summary
                        class="button button-quiet button-small button-icon"
                        aria-label=(p.change_of)(name.get_value().as_str())
                    >
                        {icon("more")}
                    </summary>
                    <div class="menu-list">
                        <button r#type="button" on:click=move |_| changing.set(true)>
                            {icon("pencil")}
                            {p.change}
                        </button>
                        <button class="menu-danger" r#type="button" on:click=sign_out>
                            {icon("leave")}
                            {p.sign_out_everywhere}
                        </button>
                        {(!mine)
                            .then(|| view! { <AccessItem name=name.get_value() access closing /> })}
                    </div>
                </details>
            </span>
            {move || {
                closing
                    .get()
                    .then(|| {
                        view! { <CloseAccessDialog name=name.get_value() access closed=stop_closing /> }
                    })
            }}
            {move || changing.get().then(|| view! { <ChangeDialog person closed=close /> })}
        </div>
    }
    .into_any()
}

/// A choice of roles.
#[component]
fn RoleSelect(id: &'static str, role: RwSignal<Role>) -> impl IntoView {
    let p = use_strings().people;
    let options = Role::ALL.map(|one| {
        view! {
            <option value=one.as_str() selected=one == role.get_untracked()>
                {p.role(one)}
            </option>
        }
    });
    let change = move |event: leptos::ev::Event| {
        if let Ok(chosen) = event_target_value(&event).parse() {
            role.set(chosen);
        }
    };
    view! {
        <div class="field">
            <label for=id>{p.role}</label>
            <select class="select" id=id on:change=change>
                {options}
            </select>
        </div>
    }
    .into_any()
}

#[component]
fn ChangeDialog(person: RwSignal<PersonView>, closed: Callback<()>) -> impl IntoView {
    let (t, act, handle) = (use_strings(), use_act(), DialogHandle::new());
    let p = t.people;
    let toaster: Toaster = expect_context();
    let before = person.get_untracked();
    let role = RwSignal::new(before.role);
    let team = RwSignal::new(before.team.map(String::from).unwrap_or_default());
    let name = StoredValue::new(before.name);
    let error = RwSignal::new(None::<String>);
    let submit = move || {
        let (name, chosen, text) = (name.get_value(), role.get_untracked(), team.get_untracked());
        act.attempt(
            api::change_person(name.to_string(), chosen, text.clone()),
            move |outcome| match outcome {
                Ok(()) => {
                    person.update(|person| (person.role, person.team) = (chosen, text.parse().ok()));
                    toaster.say((p.changed)(name.as_str()));
                    handle.close();
                }
                Err(failure) => error.set(Some(errors::words(&failure, t))),
            },
        );
    };
    view! {
        <Dialog
            handle
            id="change"
            title=(p.change_of)(name.get_value().as_str())
            small=true
            submit
            closed
        >
            <RoleSelect id="change-role" role />
            <TextField id="change-team" label=p.team value=team hint=p.team_hint />
            <p class="field-error" role="alert">{move || error.get()}</p>
            <DialogFoot handle>
                <Submit act word=p.save />
            </DialogFoot>
        </Dialog>
    }
    .into_any()
}

#[component]
fn InviteDialog(invitations: RwSignal<Vec<InvitationView>>, closed: Callback<()>) -> impl IntoView {
    let (t, act, handle) = (use_strings(), use_act(), DialogHandle::new());
    let p = t.people;
    let (name, team) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let role = RwSignal::new(Role::User);
    let (error, link) = (RwSignal::new(None::<String>), RwSignal::new(None::<String>));
    let submit = move || {
        let work = api::invite(name.get_untracked(), role.get_untracked(), team.get_untracked());
        error.set(None);
        act.attempt(work, move |outcome| match outcome {
            Ok(new) => {
                invitations.update(|invitations| invitations.insert(0, new.invitation));
                link.set(Some(new.link));
            }
            Err(failure) => error.set(Some(errors::words(&failure, t))),
        });
    };
    let form = move || {
        view! {
            <TextField id="invite-name" label=p.name value=name required=true />
            <RoleSelect id="invite-role" role />
            <TextField id="invite-team" label=p.team value=team hint=p.team_hint />
            <p class="field-error" role="alert">{move || error.get()}</p>
            <DialogFoot handle>
                <Submit act word=p.invite />
            </DialogFoot>
        }
        .into_any()
    };
    let made = move |link: String| {
        view! {
            <div class="secret" role="status">
                <strong>{p.invitation_once}</strong>
                <Command text=link />
            </div>
            <div class="dialog-foot">
                <div class="actions">
                    <button class="button" r#type="button" on:click=move |_| handle.close()>
                        {t.close}
                    </button>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <Dialog handle id="invite" title=p.invite.to_owned() small=true submit closed>
            {move || match link.get() {
                None => form(),
                Some(link) => made(link),
            }}
        </Dialog>
    }
    .into_any()
}

#[component]
fn Invitations(invitations: RwSignal<Vec<InvitationView>>) -> impl IntoView {
    let p = use_strings().people;
    view! {
        <section class="panel" aria-labelledby="invitations-title">
            <h2 id="invitations-title">{p.invitations}</h2>
            {move || {
                invitations
                    .with(Vec::is_empty)
                    .then(|| view! { <p class="small soft">{p.no_invitations}</p> })
            }}
            <ul class="list">
                <For each=move || invitations.get() key=|invitation| invitation.id let:invitation>
                    <Invitation invitation invitations />
                </For>
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Invitation(invitation: InvitationView, invitations: RwSignal<Vec<InvitationView>>) -> impl IntoView {
    let (t, act, teller) = (use_strings(), use_act(), use_teller());
    let p = t.people;
    let InvitationView { id, name, role, team, by, expires_at } = invitation;
    let withdraw = move || {
        act.run(api::withdraw_invitation(id), move |()| {
            invitations.update(|invitations| invitations.retain(|other| other.id != id));
        });
    };
    let label = (p.withdraw_of)(name.as_str());
    let parts: Vec<String> = std::iter::once(p.role(role).to_owned()).chain(team.map(String::from)).collect();
    view! {
        <li>
            {icon("user")}
            <div>
                <strong>{name.to_string()}</strong>
                " "
                <span class="soft">{parts.join(" · ")}</span>
                <div class="small soft">{move || (p.invited_by)(by.as_str(), &teller.day(expires_at))}</div>
            </div>
            <TakeBack act word=p.withdraw label press=withdraw />
        </li>
    }
    .into_any()
}
