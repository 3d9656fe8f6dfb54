//! The one way to call a service: over HTTP with a token of one's own, or within the process
//! with the caller's verified principal. The same paths, the same checks, the same answers.

mod call;
mod error;
mod http;
mod local;
mod principal;
mod session;

pub use call::{Call, Reply};
pub use error::ClientError;
pub use http::{HttpClient, is_local_server, is_server_url};
pub use local::{InProcess, Peers};
pub use principal::Principal;
pub use session::{Credentials, Session};

use stella_api::{LineAnswer, LineResult};

/// A caller of services.
#[derive(Clone, Debug)]
pub enum Client {
    /// Straight into the router of this process.
    Local(local::LocalClient),
    /// Over HTTP.
    Http(std::sync::Arc<Session>),
}

impl Client {
    /// Sends a call and gives the reply, whatever its status.
    ///
    /// # Errors
    /// No server answers, or no token is to be had.
    pub async fn send(&self, call: Call) -> Result<Reply, ClientError> {
        match self {
            Self::Local(local) => local.send(call).await,
            Self::Http(session) => session.send(call).await,
        }
    }

    /// Gets a resource.
    ///
    /// # Errors
    /// The server answers with a problem, does not answer, or answers something else.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Call::get(path)).await?.json()
    }

    /// Gets a resource's exact bytes.
    ///
    /// # Errors
    /// The server answers with a problem or does not answer.
    pub async fn get_bytes(&self, path: &str) -> Result<bytes::Bytes, ClientError> {
        Ok(self.send(Call::get(path)).await?.success()?.body)
    }

    /// Posts a JSON body.
    ///
    /// # Errors
    /// The server answers with a problem, does not answer, or answers something else.
    pub async fn post<B: serde::Serialize, T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        self.send(Call::post_json(path, body)?).await?.json()
    }

    /// Posts items, one a line, and gives what each was answered, in order.
    ///
    /// # Errors
    /// As [`Client::post`], or not every line was answered.
    pub async fn post_each<B: serde::Serialize, T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        items: &[B],
    ) -> Result<Vec<Result<T, ClientError>>, ClientError> {
        let mut lines = Vec::new();
        for item in items {
            let written = serde_json::to_writer(&mut lines, item);
            written.map_err(|error| ClientError::answer(path, &error))?;
            lines.push(b'\n');
        }
        let problem = |problem| ClientError::Problem(Box::new(problem));
        let mut answered = Vec::with_capacity(items.len());
        let call = Call::post(path, "application/x-ndjson", lines);
        for answer in self.send(call).await?.lines()? {
            let LineAnswer { result, .. } = answer;
            answered.push(match result {
                LineResult::Answer(answer) => Ok(answer),
                LineResult::Problem(one) => Err(problem(one)),
                LineResult::Ended(one) => return Err(problem(one)),
            });
        }
        if answered.len() != items.len() {
            let missing = format!("{} of {} lines are answered", answered.len(), items.len());
            return Err(ClientError::answer(path, &missing));
        }
        Ok(answered)
    }
}
