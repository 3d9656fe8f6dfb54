//! Who a request is told to come from, behind a proxy and without one.

use stella_client::{Call, HttpClient};

use crate::process::Installation;

/// The line that a request left in the log, after somebody wrote whom it stands for.
async fn told(installation: Installation) -> String {
    let running = installation.start(None);
    let server = HttpClient::new(&running.url).unwrap();
    let told = "203.0.113.9, 198.51.100.7".parse().unwrap();
    let call = Call::get("/healthz").with("x-forwarded-for".parse().unwrap(), told);
    server.send(call).await.unwrap();
    running.said("/healthz")
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed() {
    let trusting = Installation::filesystem()
        .await
        .with("Server:TrustedProxies=127.0.0.0/8, ::1");
    let line = told(trusting).await;
    assert!(
        line.contains("198.51.100.7") && !line.contains("203.0.113.9"),
        "{line}"
    );
    let line = told(Installation::filesystem().await).await;
    assert!(
        line.contains("127.0.0.1") && !line.contains("198.51.100.7"),
        "{line}"
    );
}
