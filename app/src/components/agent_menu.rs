//! What else can be done to an agent: rename, set its idle timeout, delete.

use domain::name::Name;
use leptos::prelude::*;

use super::act::use_act;
use super::dialog::{Dialog, DialogFoot, DialogHandle};
use super::errors;
use super::form::Submit;
use super::icon::icon;
use super::spawn::IdleSelect;
use crate::api;
use crate::browser;
use crate::i18n::use_strings;
use crate::live::Live;

/// What the menu opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Rename,
    Idle,
    Delete,
}

/// The menu with its dialogs.
#[component]
pub fn AgentMenu(agent: Live) -> impl IntoView {
    let t = use_strings();
    let chosen = RwSignal::new(None::<Choice>);
    let menu = format!("menu-{}", agent.id);
    let opener = format!("#{menu} > summary");
    let closed = Callback::new(move |()| {
        chosen.set(None);
        // The choice that opened it is hidden by now: the keyboard goes back to the menu.
        browser::focus(&opener);
    });
    let dialog = move || {
        Some(match chosen.get()? {
            Choice::Rename => view! { <RenameDialog agent closed /> }.into_any(),
            Choice::Idle => view! { <IdleDialog agent closed /> }.into_any(),
            Choice::Delete => view! { <DeleteDialog agent closed /> }.into_any(),
        })
    };
    view! {
        <details class="menu" id=menu>
            <summary
                class="button button-quiet button-small button-icon"
                aria-label=move || agent.read(|view| (t.more_of)(view.name.as_str()))
            >
                {icon("more")}
            </summary>
            <div class="menu-list">
                <button r#type="button" on:click=move |_| chosen.set(Some(Choice::Rename))>
                    {icon("pencil")}
                    {t.rename}
                </button>
                <button r#type="button" on:click=move |_| chosen.set(Some(Choice::Idle))>
                    {icon("hourglass")}
                    {t.change_idle}
                </button>
                <button class="menu-danger" r#type="button" on:click=move |_| chosen.set(Some(Choice::Delete))>
                    {icon("trash")}
                    {t.delete_dots}
                </button>
            </div>
        </details>
        {dialog}
    }
    .into_any()
}

#[component]
fn RenameDialog(agent: Live, closed: Callback<()>) -> impl IntoView {
    let (t, act, handle) = (use_strings(), use_act(), DialogHandle::new());
    let id = format!("rename-{}", agent.id);
    let field = format!("{id}-name");
    let name = RwSignal::new(agent.peek(|view| view.name.to_string()));
    let error = RwSignal::new(None::<String>);
    let submit = move || {
        if name.with_untracked(|name| name.parse::<Name>().is_err()) {
            return error.set(Some(t.error_invalid_name.to_owned()));
        }
        act.attempt(api::rename(agent.id, name.get_untracked()), move |outcome| match outcome {
            Ok(view) => {
                agent.take(view);
                handle.close();
            }
            Err(failure) => error.set(Some(errors::words(&failure, t))),
        });
    };
    view! {
        <Dialog handle id title=t.rename.to_owned() small=true submit closed>
            <div class="field">
                <label for=field.clone()>{t.name}</label>
                <input
                    class="input"
                    id=field
                    autofocus
                    autocomplete="off"
                    maxlength=Name::MAX_CHARS.to_string()
                    prop:value=move || name.get()
                    on:input=move |event| name.set(event_target_value(&event))
                />
                <p class="field-error" role="alert">
                    {move || error.get()}
                </p>
            </div>
            <DialogFoot handle>
                <Submit act word=t.save />
            </DialogFoot>
        </Dialog>
    }
    .into_any()
}

#[component]
fn IdleDialog(agent: Live, closed: Callback<()>) -> impl IntoView {
    let (t, act, handle) = (use_strings(), use_act(), DialogHandle::new());
    let id = format!("idle-{}", agent.id);
    let field = format!("{id}-secs");
    let current = agent.peek(|view| view.idle_timeout);
    let secs = RwSignal::new(current);
    let submit = move || {
        act.run(api::set_idle_timeout(agent.id, Some(secs.get_untracked())), move |view| {
            agent.take(view);
            handle.close();
        });
    };
    view! {
        <Dialog handle id title=t.change_idle.to_owned() small=true submit closed>
            <div class="field">
                <label for=field.clone()>{t.sleeps_unused_for}</label>
                <IdleSelect id=field value=secs current=current />
            </div>
            <DialogFoot handle>
                <Submit act word=t.save />
            </DialogFoot>
        </Dialog>
    }
    .into_any()
}

#[component]
fn DeleteDialog(agent: Live, closed: Callback<()>) -> impl IntoView {
    let (t, act, handle) = (use_strings(), use_act(), DialogHandle::new());
    let id = format!("delete-{}", agent.id);
    let field = format!("{id}-name");
    let typed = RwSignal::new(String::new());
    let name = agent.memo(|view| view.name.to_string());
    let agrees = move || typed.with(|typed| typed.trim() == name.get());
    let submit = move || {
        if typed.with_untracked(|typed| typed.trim() == name.get_untracked()) {
            act.run(api::delete_agent(agent.id), move |view| {
                agent.take(view);
                handle.close();
            });
        }
    };
    let title = Signal::derive(move || (t.delete_title)(&name.get()));
    view! {
        <Dialog handle id title small=true submit closed>
            <p>{t.delete_text}</p>
            <div class="field">
                <label for=field.clone()>
                    {t.delete_confirm} " " <code>{move || name.get()}</code>
                </label>
                <input
                    class="input"
                    id=field
                    autofocus
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || typed.get()
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </div>
            <DialogFoot handle keep=t.keep>
                <button
                    class="button button-danger"
                    r#type="submit"
                    disabled=move || !agrees()
                    aria-busy=move || act.busy().then_some("true")
                >
                    {icon("trash")}
                    {t.delete}
                </button>
            </DialogFoot>
        </Dialog>
    }
    .into_any()
}
