//! A fake of Amazon ECS for tests: its JSON API over HTTP, and Fargate tasks
//! that are real processes of this machine. `aws-sdk-ecs` and boto3 talk to it
//! when `AWS_ENDPOINT_URL_ECS` is [`Fake::endpoint`]. Nothing but tests and
//! development uses it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use ecs_fake::{Config, Fake, Fault, Notice, Operation, Settings, Status, StopCode};
//!
//! let fake = Fake::start(Config { program: vec!["openclaw-agent".into()], ..Config::default() }).await?;
//! // … RunTask by an SDK …
//! fake.inject(Operation::RunTask, Fault::Throttling, 2);
//! fake.change(|settings| settings.stop_timeout_ms = Some(500));
//! fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Running)).await;
//! fake.interrupt_all(StopCode::SpotInterruption, Notice::Full);
//! assert_eq!(fake.calls().of(Operation::RunTask).throttled, 2);
//! # Ok(()) }
//! ```
//!
//! # What is as at AWS
//! - Requests and answers have the shapes of botocore's model, down to types
//!   and required members; errors have ECS's `__type` and status.
//! - `RunTask`: a `clientToken` launches once, its repetition gets the first
//!   answer, with other parameters a `ConflictException`; at most 10 tasks;
//!   Fargate's sizes; 8192 characters of overrides; strategies with base and
//!   weight; no capacity is told in `failures` or as an exception, and never mended by ECS.
//! - A task's statuses, instants, version, network interface, exit code and
//!   reasons. Stopped ones are described for an hour, then `MISSING`. `StopTask`
//!   is SIGTERM, the definition's `stopTimeout`, SIGKILL, and deletes the task's tags.
//! - Spot: the event with desired status STOPPED and last status RUNNING, SIGTERM, `stopTimeout`, SIGKILL.
//! - Quotas as token buckets with an account's default values.
//! - Events in EventBridge's shape, with each change of a task; reads that lag.
//!
//! # What is not
//! - Tasks share this machine's network: each has an address of its own in 127.0.0.0/8, reported
//!   as `privateIPv4Address`, and a wildcard in `OPENCLAW_LISTEN` becomes that address.
//! - Tasks share its disk and user: an image is [`Config::program`], its folders are
//!   [`Config::own_paths`], and `user`, `readonlyRootFilesystem`, limits and size are told, not enforced.
//! - Credentials come by `AWS_CONTAINER_CREDENTIALS_FULL_URI`: 169.254.170.2 is not to be had here.
//! - A task's processes end with its first one as far as they can be found: there is no namespace around them.
//! - One container a task; no services, container instances or other launch types.
//! - Signatures are not checked, only that there is one. Everyone may do everything.
//! - Texts of errors are ECS's where they are known, else like them.

mod address;
mod api;
mod calls;
mod client;
mod config;
mod control;
mod definition;
mod environment;
mod error;
mod events;
mod fake;
mod family;
mod fault;
mod http;
mod keeper;
mod life;
mod metadata;
pub mod model;
mod process;
mod quota;
mod random;
mod settings;
mod shape;
mod shared;
mod size;
mod state;

pub use api::Operation;
pub use calls::{Calls, Count, Launch};
pub use config::{Config, EventTarget};
pub use events::{Delivered, Event};
pub use fake::Fake;
pub use fault::Fault;
pub use quota::{Quotas, Rate};
pub use settings::{Delays, Deliveries, Reads, Settings, Shortage, ShortageAnswer, Span, StartFailure};
pub use shape::{
    Attachment, Container, EphemeralStorage, Epoch, KeyValue, NetworkInterface, Status, StopCode, Tag, Task,
};
pub use state::Notice;
