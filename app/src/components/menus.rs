//! Menus are `<details class="menu">`, which work by themselves. What they
//! lack is closing: by a choice, by a click elsewhere, by Escape.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlDetailsElement, HtmlElement, Node};

/// Closes menus as people expect, on every page.
pub fn close_menus() {
    Effect::new(|| {
        let click = window_event_listener(leptos::ev::click, |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            for menu in open_menus() {
                let node = target.as_ref().map(AsRef::<Node>::as_ref);
                let inside = menu.contains(node);
                let chose =
                    target.as_ref().is_some_and(|target| matches!(target.closest("button, a"), Ok(Some(_))));
                if !inside || chose {
                    menu.set_open(false);
                }
            }
        });
        let key = window_event_listener(leptos::ev::keydown, |event| {
            if event.key() != "Escape" {
                return;
            }
            for menu in open_menus() {
                menu.set_open(false);
                if let Ok(Some(summary)) = menu.query_selector("summary")
                    && let Ok(summary) = summary.dyn_into::<HtmlElement>()
                {
                    let _ = summary.focus();
                }
            }
        });
        on_cleanup(move || {
            click.remove();
            key.remove();
        });
    });
}

fn open_menus() -> Vec<HtmlDetailsElement> {
    let Ok(found) = document().query_selector_all("details.menu[open]") else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}
