//! From what a server answers, or that it does not, to a failure with its exit code.

use stella_api::{Code, Problem};
use stella_client::{ClientError, is_local_server};
use stella_locale::Value;

use crate::exit::ExitCode;
use crate::failure::{Failure, Fault};
use crate::kind::KEY_FILE_UNREADABLE;
use crate::label::{filled, label};

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => of_problem(*problem),
            ClientError::Unreachable { server, reason } => {
                // Nobody starts a server on another machine from here.
                let hint = match is_local_server(&server) {
                    true => "hint-server-unreachable",
                    false => "hint-server-unreachable-elsewhere",
                };
                let values = [("server", server.into()), ("reason", reason.into())];
                of_label(Code::ServerUnreachable, &values).hint(label(hint))
            }
            ClientError::CertificateUntrusted { server, reason } => {
                let values = [("server", server.into()), ("reason", reason.into())];
                let code = Code::ServerCertificateUntrusted;
                of_label(code, &values).hint(label("error-server-certificate-untrusted-hint"))
            }
            ClientError::TimedOut { server, seconds } => {
                let values = [("server", server.into()), ("limit", seconds.into())];
                let told = filled("server-timed-out", &values);
                of_code(Code::Timeout, told).hint(label("error-timeout-hint"))
            }
            ClientError::TokenRefused {
                server,
                error,
                description,
            } => {
                let values = [
                    ("server", server.into()),
                    ("error", error.into()),
                    ("reason", description.into()),
                ];
                of_label(Code::TokenRefused, &values).hint(label("hint-token-refused"))
            }
            ClientError::Answer { path, reason } => {
                let values = [("path", path.into()), ("reason", reason.into())];
                of_label(Code::ServerAnswerInvalid, &values)
            }
            // In the words of the library of keys.
            ClientError::Key(error) => Self::told(
                KEY_FILE_UNREADABLE.code,
                KEY_FILE_UNREADABLE.exit,
                error.to_string(),
            ),
        }
    }
}

/// A failure with a code of the registry in words of one's own.
pub(crate) fn of_code(code: Code, message: impl Into<String>) -> Failure {
    Failure::told(code.as_str(), ExitCode::of_code(code), message)
}

/// A failure with a code of the registry in the words of its label.
fn of_label(code: Code, values: &[(&str, Value<'_>)]) -> Failure {
    of_code(
        code,
        filled(&format!("{}-detail", code.label_key()), values),
    )
}

fn of_problem(problem: Problem) -> Failure {
    // A newer server may know codes that we do not.
    let exit = problem
        .code
        .parse()
        .map_or(ExitCode::Unexpected, ExitCode::of_code);
    let mut failure = Failure::told(problem.code, exit, problem.detail);
    failure.hint = problem.hint;
    failure.trace_id = Some(problem.trace_id).filter(|id| !id.is_empty());
    let faults = problem.errors.into_iter();
    failure.errors = faults
        .map(|item| Fault {
            pointer: item.pointer,
            code: item.code,
            detail: item.detail,
        })
        .collect();
    failure
}

impl Failure {
    /// Whether the next call would fail as this one did, whatever it is about.
    pub(crate) fn stops_all(&self) -> bool {
        let everywhere = [
            ExitCode::NotAllowed,
            ExitCode::TryAgain,
            ExitCode::Configuration,
        ];
        let wrong_server = self.code == Code::ServerAnswerInvalid.as_str();
        let of_the_contract = self.code.starts_with("ERR_AOC_");
        let too_slow = self.code == Code::Timeout.as_str();
        let of_this_one = of_the_contract || too_slow;
        !of_this_one && (wrong_server || everywhere.contains(&self.exit))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use stella_api::ProblemItem;

    use super::*;

    fn problem(code: &str) -> ClientError {
        ClientError::Problem(Box::new(Problem {
            kind: format!("urn:stella:error:{code}"),
            title: "title".into(),
            status: 404,
            detail: "nothing was taken in yet".into(),
            code: code.into(),
            trace_id: "0af7".into(),
            hint: Some("stella evidence ingest DIR".into()),
            errors: vec![ProblemItem {
                pointer: "query:sbom".into(),
                code: "REQUEST_INVALID".into(),
                detail: "is no digest".into(),
            }],
        }))
    }

    #[test]
    fn a_problem_keeps_all_that_it_says() {
        let failure = Failure::from(problem("NO_DATA"));
        assert_eq!(failure.exit, ExitCode::NotFound);
        insta::assert_snapshot!(failure.text(), @r"
        error[NO_DATA]: nothing was taken in yet
          query:sbom REQUEST_INVALID: is no digest
        hint: stella evidence ingest DIR
        trace: 0af7
        ");
    }

    #[test]
    fn a_code_of_a_newer_server_is_unexpected() {
        let failure = Failure::from(problem("BRAND_NEW"));
        assert_eq!(
            (failure.code.as_ref(), failure.exit),
            ("BRAND_NEW", ExitCode::Unexpected)
        );
    }

    #[test]
    fn no_server_and_no_token_have_their_exit_codes() {
        let gone = Failure::from(ClientError::Unreachable {
            server: "http://127.0.0.1:7070".into(),
            reason: "connection refused".into(),
        });
        assert_eq!(gone.exit, ExitCode::TryAgain);
        insta::assert_snapshot!(gone.text(), @r"
        error[SERVER_UNREACHABLE]: no server answers at http://127.0.0.1:7070: connection refused
        hint: stella up
        ");
        let elsewhere = Failure::from(ClientError::Unreachable {
            server: "https://stella.example".into(),
            reason: "connection refused".into(),
        });
        insta::assert_snapshot!(elsewhere.text(), @r"
        error[SERVER_UNREACHABLE]: no server answers at https://stella.example: connection refused
        hint: see that it runs and is reached from here, and try again
        ");
        let slow = Failure::from(ClientError::TimedOut {
            server: "http://127.0.0.1:7070".into(),
            seconds: 120,
        });
        assert_eq!((slow.exit, slow.stops_all()), (ExitCode::TryAgain, false));
        insta::assert_snapshot!(slow.text(), @r"
        error[TIMEOUT]: http://127.0.0.1:7070 did not answer within 120 seconds, and was waited for no longer
        hint: try again, with a smaller page or document
        ");
        let refused = Failure::from(ClientError::TokenRefused {
            server: "http://127.0.0.1:7070".into(),
            error: "invalid_client".into(),
            description: "unknown client".into(),
        });
        assert_eq!(refused.exit, ExitCode::NotAllowed);
        assert!(gone.stops_all() && refused.stops_all());
    }

    #[test]
    fn what_is_wrong_with_one_document_stops_no_other() {
        let of_one = [
            "ERR_AOC_006",
            "ERR_AOC_009",
            "BODY_TOO_LARGE",
            "INTERNAL",
            "TIMEOUT",
        ];
        for code in of_one {
            assert!(!Failure::from(problem(code)).stops_all(), "{code}");
        }
        for code in ["UNAVAILABLE", "SCOPE_MISSING", "TOKEN_INVALID"] {
            assert!(Failure::from(problem(code)).stops_all(), "{code}");
        }
    }
}
