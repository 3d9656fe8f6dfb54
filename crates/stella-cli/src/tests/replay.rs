use super::given;

#[tokio::test]
async fn a_token_cut_short_is_told_without_a_server() {
    for verb in ["verify", "run"] {
        let ran = given("").run(&format!("replay {verb} rt1.abc")).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
        assert_eq!(
            ran.stderr,
            "error[REPLAY_TOKEN_INVALID]: the replay token is cut short: it ends after 3 of the 54 characters behind rt1.\n\
             hint: copy the whole token: rt1. and 54 characters\n"
        );
    }
    let json = given("").run("replay verify rt1. -o json").await;
    let told: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(told["code"], "REPLAY_TOKEN_INVALID");
    assert_eq!((json.exit, &told["exit"]), (2, &2.into()));
}

#[tokio::test]
async fn what_is_neither_a_token_nor_an_id_is_wrong_use() {
    let ran = given("").run("replay verify rt -o json").await;
    let told: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.exit, &told["code"]), (2, &"USAGE".into()));
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("neither a replay token"), "{message}");
}
