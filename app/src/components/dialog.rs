//! Dialogs: the browser's own, which keep the focus and close by Escape.

use leptos::html;
use leptos::prelude::*;

use super::icon::icon;
use crate::i18n::use_strings;

/// A dialog that is open, for what closes it.
#[derive(Clone, Copy)]
pub struct DialogHandle(NodeRef<html::Dialog>);

impl DialogHandle {
    pub fn new() -> Self {
        Self(NodeRef::new())
    }

    pub fn close(self) {
        // What it changed may have taken the page that it stood on away.
        if let Some(Some(dialog)) = self.0.try_get_untracked() {
            dialog.close();
        }
    }
}

/// A dialog with a heading and a form in it, open as long as it is on the page.
/// `closed` is called however it was closed, and takes it off the page.
#[component]
pub fn Dialog(
    handle: DialogHandle,
    /// Unique on the page.
    #[prop(into)]
    id: String,
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] small: bool,
    submit: impl Fn() + 'static,
    closed: Callback<()>,
    children: Children,
) -> impl IntoView {
    let t = use_strings();
    Effect::new(move || {
        if let Some(dialog) = handle.0.get() {
            // It fails only for one that is open already.
            let _ = dialog.show_modal();
        }
    });
    let heading = format!("{id}-title");
    let labelled = heading.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        submit();
    };
    view! {
        <dialog
            class="dialog"
            class:dialog-small=small
            node_ref=handle.0
            aria-labelledby=labelled
            on:close=move |_| closed.run(())
        >
            <form on:submit=submit>
                <div class="dialog-head">
                    <h2 id=heading>{move || title.get()}</h2>
                    <button
                        class="button button-quiet button-small button-icon"
                        r#type="button"
                        aria-label=t.close
                        on:click=move |_| handle.close()
                    >
                        {icon("close")}
                    </button>
                </div>
                {children()}
            </form>
        </dialog>
    }
    .into_any()
}

/// A dialog's end: the way back, and the way on.
#[component]
pub fn DialogFoot(
    handle: DialogHandle,
    /// The way back's words; else «Cancel».
    #[prop(optional)]
    keep: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let t = use_strings();
    view! {
        <div class="dialog-foot">
            <div class="actions">
                <button class="button" r#type="button" on:click=move |_| handle.close()>
                    {keep.unwrap_or(t.cancel)}
                </button>
                {children()}
            </div>
        </div>
    }
    .into_any()
}
