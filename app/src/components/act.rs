//! Doing something to an agent: one at a time, its outcome taken in, its
//! failure said.

use std::future::Future;

use domain::view::AgentView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::errors;
use super::toasts::Toaster;
use crate::browser;
use crate::error::{AppError, ErrorCode};
use crate::i18n::{Strings, use_strings};
use crate::live::Live;

/// Something that is done by a click, and whether it is being done.
#[derive(Clone, Copy)]
pub struct Act {
    busy: RwSignal<bool>,
    toaster: Toaster,
    t: &'static Strings,
}

/// An act of this place. It ends with the place, its request does not.
pub fn use_act() -> Act {
    Act { busy: RwSignal::new(false), toaster: expect_context(), t: use_strings() }
}

impl Act {
    /// Whether it is being done.
    pub fn busy(self) -> bool {
        self.busy.get()
    }

    /// Does it unless it is being done. A session that ended leads to the door.
    pub fn run<T: 'static>(
        self,
        work: impl Future<Output = Result<T, AppError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        self.attempt(work, move |outcome| match outcome {
            Ok(value) => done(value),
            Err(error) => self.toaster.say(errors::words(&error, self.t)),
        });
    }

    /// As [`Act::run`], with the failure left to the caller.
    pub fn attempt<T: 'static>(
        self,
        work: impl Future<Output = Result<T, AppError>> + 'static,
        done: impl FnOnce(Result<T, AppError>) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let outcome = work.await;
            self.busy.try_set(false);
            match outcome {
                Err(AppError { code: ErrorCode::Unauthenticated, .. }) => browser::leave_for("/sign-in"),
                outcome => done(outcome),
            }
        });
    }

    /// Does it to an agent, and shows what became of that.
    pub fn on(self, agent: Live, work: impl Future<Output = Result<AgentView, AppError>> + 'static) {
        self.run(work, move |view| agent.take(view));
    }
}
