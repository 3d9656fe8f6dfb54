use serde_json::json;

use super::given;
use crate::{Answer, ExitCode, Failure, ServerCommand, Session};

#[tokio::test]
async fn server_verbs_reach_the_binary_with_their_options() {
    let up = async |command: ServerCommand, session: &mut Session| {
        let ServerCommand::Up(arguments) = command else {
            panic!("{command:?}")
        };
        assert!(arguments.sample && arguments.once && arguments.data.is_none());
        assert_eq!(session.options.context.as_deref(), Some("local"));
        Ok(Answer::new(&json!({"findings": 3}))?.exit(ExitCode::No))
    };
    let ran = given("")
        .run_with("up --sample --once --context local", up)
        .await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (9, "{\n  \"findings\": 3\n}\n")
    );
}

#[tokio::test]
async fn services_and_settings_are_lists() {
    let serve = async |command: ServerCommand, _: &mut Session| {
        let ServerCommand::Serve(arguments) = command else {
            panic!("{command:?}")
        };
        assert_eq!(arguments.services.unwrap(), ["replay", "risk-engine"]);
        assert_eq!(arguments.configuration.set, ["A:B=1", "C=x,y"]);
        Ok(Answer::done(ExitCode::Ok))
    };
    let ran = given("")
        .run_with(
            "serve --services replay,risk-engine --set A:B=1 --set C=x,y",
            serve,
        )
        .await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "")
    );
}

#[tokio::test]
async fn their_failures_are_told_as_all_others() {
    let migrate = async |_: ServerCommand, _: &mut Session| -> Result<Answer, Failure> {
        Err(Failure::told(
            "STORAGE_UNREACHABLE",
            ExitCode::TryAgain,
            "connecting to the database: refused",
        )
        .hint("start it"))
    };
    let ran = given("").run_with("migrate -o json", migrate).await;
    assert_eq!(ran.exit, 10);
    assert_eq!(
        ran.stderr,
        "{\"code\":\"STORAGE_UNREACHABLE\",\"message\":\"connecting to the database: refused\",\"hint\":\"start it\",\"exit\":10}\n"
    );
}
