//! Files that are written while they are read.

use std::io;

use futures::stream::{self, Stream, StreamExt as _};
use futures::{FutureExt as _, TryStreamExt as _};

/// The lines of a file, broken off where `until` resolves before their end, or
/// where one can't be read: no part of a file may look like the whole.
pub fn broken_off<'a>(
    what: &'static str,
    lines: impl Stream<Item = io::Result<String>> + Send + 'a,
    until: impl Future<Output = ()> + Send + 'a,
) -> impl Stream<Item = io::Result<String>> + Send + 'a {
    let lines = stream::unfold(Some(lines.boxed().take_until(until.boxed())), |lines| async {
        let mut lines = lines?;
        match lines.next().await {
            Some(line) => Some((line, Some(lines))),
            None => {
                lines.take_result().map(|()| (Err(io::Error::other("whoever asked may no longer")), None))
            }
        }
    });
    lines.inspect_err(move |error| tracing::error!(%error, "{what} broke off"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future;

    use super::*;

    fn lines(count: usize) -> impl Stream<Item = io::Result<String>> + Send {
        stream::iter((0..count).map(|n| Ok(format!("{n}\n"))))
    }

    async fn read(lines: impl Stream<Item = io::Result<String>>) -> (usize, bool) {
        let read: Vec<_> = lines.collect().await;
        (read.iter().filter(|line| line.is_ok()).count(), read.last().is_some_and(Result::is_err))
    }

    #[tokio::test]
    async fn what_was_read_to_its_end_is_whole() {
        assert_eq!(read(broken_off("a file", lines(3), future::pending())).await, (3, false));
        assert_eq!(read(broken_off("a file", lines(0), future::pending())).await, (0, false));
    }

    #[tokio::test]
    async fn what_ends_with_a_right_does_not_look_whole() {
        let endless = lines(3).chain(stream::pending());
        let until = tokio::time::sleep(Duration::from_millis(20));
        assert_eq!(read(broken_off("a file", endless, until)).await, (3, true));
        assert_eq!(read(broken_off("a file", lines(3), future::ready(()))).await, (0, true));
    }
}
