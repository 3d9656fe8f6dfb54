use serde_json::json;

use super::given;
use crate::arguments::StorageCommand;
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

#[tokio::test]
async fn an_age_is_a_number_with_its_unit() {
    for (words, seconds) in [
        ("", 7 * 24 * 3600),
        (" --older-than 90s", 90),
        (" --older-than 5m", 300),
        (" --older-than 36h", 36 * 3600),
        (" --older-than 2d", 2 * 24 * 3600),
    ] {
        let sweep = async |command: ServerCommand, _: &mut Session| {
            let ServerCommand::Storage(StorageCommand::Sweep(arguments)) = command else {
                panic!("{command:?}")
            };
            assert_eq!(arguments.older_than.as_secs(), seconds);
            assert!(!arguments.remove);
            Ok(Answer::done(ExitCode::Ok))
        };
        let ran = given("")
            .run_with(&format!("storage sweep{words}"), sweep)
            .await;
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
    }
    for wrong in [
        "7",
        "d",
        "-1d",
        "1y",
        "1é",
        "99999999999999999999d",
        "300000000000000000d",
    ] {
        let ran = given("")
            .run(&format!("storage sweep --older-than={wrong}"))
            .await;
        assert_eq!(ran.exit, 2, "{wrong}");
        assert!(ran.stderr.contains("such as 36h"), "{}", ran.stderr);
    }
}
