//! Answers given again: tokens, and what a replay says.

mod verdict;

use std::str::FromStr;

use stella_api::replay::{ManifestAnswer, ManifestRequest, ReplayRequest, ReplayVerdict};
use stella_api::score::ScoreResult;
use stella_api::{Code, ReplayToken};
use stella_client::Client;

pub(crate) use verdict::{recomputed, verdict};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::id::Id;
use crate::label::{filled, label};
use crate::problem::of_code;

const TOKEN: &str = "rt1.";

/// The replay token of a score, by the score's whole id.
///
/// # Errors
/// Those of the server.
pub async fn replay_token(client: &Client, score_id: &str) -> Result<ManifestAnswer, Failure> {
    let request = ManifestRequest {
        score_id: score_id.to_owned(),
    };
    Ok(client.post("/api/v1/replay/manifests", &request).await?)
}

/// Adds a token and what it is good for.
pub(crate) fn hint(answer: Answer, replay: &ManifestAnswer) -> Answer {
    let token = replay.token.as_str();
    let answer = answer
        .line(filled("replay-token", &[("token", token.into())]))
        .line(filled("replay-check", &[("token", token.into())]));
    if replay.signed {
        answer
    } else {
        answer.sentence(label("replay-unsigned"))
    }
}

/// What is to be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// By a replay token.
    Token(String),
    /// By the id of a score, or a prefix of it.
    Score(Id),
}

impl FromStr for Replayed {
    type Err = String;

    /// Whether a token is one has a code of its own: [`Self::check`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with(TOKEN) {
            Ok(Self::Token(text.to_owned()))
        } else {
            text.parse()
                .map(Self::Score)
                .map_err(|_| label("replayed-invalid"))
        }
    }
}

impl Replayed {
    /// Whether it can be one at all, so that a token that was cut short or mistyped is told as
    /// such also where no server answers. What it stands for is for the server to say.
    ///
    /// # Errors
    /// `REPLAY_TOKEN_INVALID` with what is wrong.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Self::Token(token) = self else {
            return Ok(());
        };
        let wrong = match token.parse::<ReplayToken>() {
            Ok(_) => return Ok(()),
            Err(wrong) => wrong.to_string(),
        };
        let hint = label("error-replay-token-invalid-hint");
        Err(of_code(Code::ReplayTokenInvalid, wrong).hint(hint))
    }
}

/// Asks for an answer to be given again.
pub(crate) async fn replay(client: &Client, what: &Replayed) -> Result<ReplayVerdict, Failure> {
    let request = match what {
        Replayed::Token(token) => ReplayRequest {
            token: Some(token.clone()),
            ..ReplayRequest::default()
        },
        Replayed::Score(id) => ReplayRequest {
            score_id: Some(whole_score_id(client, id).await?),
            ..ReplayRequest::default()
        },
    };
    Ok(client.post("/api/v1/replay/runs", &request).await?)
}

async fn whole_score_id(client: &Client, id: &Id) -> Result<String, Failure> {
    if let Some(whole) = id.whole() {
        return Ok(whole);
    }
    let score: ScoreResult = client.get(&format!("/api/v1/score/{id}")).await?;
    Ok(score.score_id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_ids_are_told_apart() {
        let token: Replayed = "rt1.short".parse().unwrap();
        assert_eq!(token, Replayed::Token("rt1.short".into()));
        assert!(matches!(
            "0123456789ab".parse().unwrap(),
            Replayed::Score(_)
        ));
        assert!("rt2.x".parse::<Replayed>().is_err());
    }

    #[test]
    fn a_token_is_checked_and_an_id_is_not() {
        let check = |what: &str| what.parse::<Replayed>().unwrap().check();
        let token = ReplayToken {
            manifest: [7; 32],
            expires: 0,
        };
        let whole = token.to_string();
        assert_eq!(check(&whole), Ok(()));
        assert_eq!(check("0123456789ab"), Ok(()));
        let refused = check(&whole[..57]).unwrap_err();
        assert_eq!(refused.code, "REPLAY_TOKEN_INVALID");
        assert!(refused.message.contains("cut short"), "{}", refused.message);
    }
}
