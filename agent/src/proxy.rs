//! The tenant's way out: HTTP proxying on the sandbox's own loopback, passed on
//! to the host's egress proxy, which decides what may be reached.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Semaphore;

/// Where programs find it, by `HTTP_PROXY`.
const ADDRESS: (&str, u16) = ("127.0.0.1", 3128);
/// The host's proxy, beside the control plane's socket.
const EGRESS: &str = "egress.sock";
const CONNECTIONS: usize = 256;
/// Copied at once in each direction, in bytes.
const BUFFER: usize = 16 * 1024;

/// Passes connections on for ever. `control` is the control plane's socket.
pub async fn run(control: &Path) -> io::Result<()> {
    let egress = Arc::new(control.with_file_name(EGRESS));
    let listener = TcpListener::bind(ADDRESS).await?;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let egress = Arc::clone(&egress);
        tokio::spawn(async move {
            // A connection that is refused is closed: the program says so.
            let _ = pass_on(stream, &egress).await;
            drop(place);
        });
    }
}

async fn pass_on(mut program: TcpStream, egress: &Path) -> io::Result<()> {
    let mut out = UnixStream::connect(egress).await?;
    tokio::io::copy_bidirectional_with_sizes(&mut program, &mut out, BUFFER, BUFFER).await?;
    Ok(())
}
