//! A bare axum handler on all cores: prints where it listens as a line of JSON, and ends at a line of input.

use std::io;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

fn main() -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"address\": \"{}\"}}", listener.local_addr()?);
    let application = Router::new().route("/", get(|| async { "Hello, World!" }));
    let end = async {
        // An error is an end, too.
        let _ = BufReader::new(tokio::io::stdin()).read_line(&mut String::new()).await;
    };
    axum::serve(listener, application).with_graceful_shutdown(end).await
}
