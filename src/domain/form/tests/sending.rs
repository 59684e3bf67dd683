//! Drafts that become applications, once.

use super::*;
use crate::domain::application;

async fn filled(domain: &Domain, view: &FormView, who: &Applicant) -> DraftView {
    let answers = view.config.questions.iter().map(|question| (question.id, "yes".to_owned())).collect();
    save_answers(domain, who, view.id, answers).await.unwrap()
}

#[tokio::test]
async fn a_draft_sent_by_many_clicks_is_one_application() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a"), short("b")]).await;
    let ann = applicant(ANN, &[]);
    filled(&test, &view, &ann).await;
    let mut clicks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (domain, ann, id) = ((*test).clone(), ann.clone(), view.id);
        clicks.spawn(async move { send(&domain, &ann, id).await });
    }
    let (sent, refused): (Vec<_>, Vec<_>) = clicks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(sent.len(), 1);
    assert!(refused.into_iter().all(|refused| code(refused) == "form.no_draft"));
    let first = sent.into_iter().next().unwrap().unwrap();
    assert_eq!((first.number, first.is_new), (1, true));
    let mine = my_application(&test, &ann, first.id).await.unwrap();
    let answers: Vec<_> = mine.answers.iter().map(|given| (given.label.as_str(), given.answer.as_str())).collect();
    assert_eq!(answers, [("a", "yes"), ("b", "yes")]);
    assert!(mine.is_editable && mine.title.as_deref() == Some("Staff"));
    assert_eq!(code(my_application(&test, &applicant(ANN + 1, &[]), first.id).await), "application.not_found");
}

#[tokio::test]
async fn what_is_refused_stays_a_draft() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a"), short("b")]).await;
    let (ann, place) = (applicant(ANN, &[]), (testing::guild(), view.id));
    assert_eq!(code(send(&test, &ann, view.id).await), "form.no_draft");
    let kept = save_answers(&test, &ann, view.id, Answers::new()).await.unwrap();
    assert_eq!(code(send(&test, &ann, view.id).await), "form.unanswered");
    filled(&test, &view, &ann).await;
    let admin = testing::admin();
    let narrow = |max_length| FormChange::EditQuestion {
        id: view.config.questions[0].id,
        change: QuestionChange { max_length: Some(max_length), ..QuestionChange::default() },
    };
    change_form(&test, &admin, place, narrow(2)).await.unwrap();
    assert_eq!(code(send(&test, &ann, view.id).await), "form.bad_answer");
    change_form(&test, &admin, place, narrow(3)).await.unwrap();
    let close = |state| change_form(&test, &admin, place, FormChange::State(state));
    close(entity::form::FormState::Closed).await.unwrap();
    assert_eq!(code(send(&test, &ann, view.id).await), "form.closed");
    close(entity::form::FormState::Open).await.unwrap();
    assert_eq!(draft(&test, &ann, view.id).await.unwrap().unwrap().id, kept.id, "the draft is still there");
    send(&test, &ann, view.id).await.unwrap();
    filled(&test, &view, &ann).await;
    assert_eq!(code(send(&test, &ann, view.id).await), "form.too_many_open");
}

#[tokio::test]
async fn other_answers_go_the_same_way() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a")]).await;
    let (ann, a) = (applicant(ANN, &[]), view.config.questions[0].id);
    filled(&test, &view, &ann).await;
    let sent = send(&test, &ann, view.id).await.unwrap();
    let begin = |who: Applicant| {
        let domain = (*test).clone();
        async move { begin_edit(&domain, &who, sent.id).await }
    };
    assert_eq!(code(begin(applicant(ANN + 1, &[])).await), "application.not_found");
    let other = filled(&test, &view, &ann).await;
    assert_eq!(code(begin(ann.clone()).await), "form.other_draft");
    assert_eq!(draft(&test, &ann, view.id).await.unwrap(), Some(other), "what was written stays");
    discard_draft(&test, &ann, view.id).await.unwrap();
    assert_eq!(begin(ann.clone()).await.unwrap(), view.id);
    assert_eq!(begin(ann.clone()).await.unwrap(), view.id, "a second time goes on");
    let draft = draft(&test, &ann, view.id).await.unwrap().unwrap();
    assert_eq!((draft.application_id, draft.answers), (Some(sent.id), Answers::from([(a, "yes".to_owned())])));
    // A closed form takes changes of what it has taken.
    let close = FormChange::State(entity::form::FormState::Closed);
    change_form(&test, &testing::admin(), (testing::guild(), view.id), close).await.unwrap();
    save_answers(&test, &ann, view.id, Answers::from([(a, "no".to_owned())])).await.unwrap();
    let again = send(&test, &ann, view.id).await.unwrap();
    assert_eq!((again.id, again.number, again.is_new), (sent.id, sent.number, false));
    assert_eq!(my_application(&test, &ann, sent.id).await.unwrap().answers[0].answer, "no");
    begin(ann.clone()).await.unwrap();
    application::withdraw(&test, &ann.actor, sent.id).await.unwrap();
    assert_eq!(code(send(&test, &ann, view.id).await), "application.not_pending");
    assert_eq!(code(begin(ann.clone()).await), "application.not_pending");
    assert_eq!(code(application::withdraw(&test, &ann.actor, sent.id).await), "application.not_pending");
}

#[tokio::test]
async fn a_form_that_has_accepted_enough_takes_no_more() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a")]).await;
    let (ann, ben) = (applicant(ANN, &[]), applicant(ANN + 1, &[]));
    let policy = Box::new(PolicyChange { accept_limit: Some(Some(1)), ..PolicyChange::default() });
    let change = FormChange::Rules { policy, eligibility: EligibilityChange::default() };
    let view = change_form(&test, &testing::admin(), (testing::guild(), view.id), change).await.unwrap();
    filled(&test, &view, &ann).await;
    filled(&test, &view, &ben).await;
    let sent = send(&test, &ann, view.id).await.unwrap();
    let verdict = application::Verdict { status: entity::application::ApplicationStatus::Approved, reason: None };
    application::decide(&test, &testing::root(), sent.id, verdict).await.unwrap();
    assert_eq!(obstacles(&test, &ben, &view).await.unwrap(), [FormRefusal::Full { limit: 1 }]);
    assert_eq!(code(send(&test, &ben, view.id).await), "form.full");
}

#[tokio::test]
async fn a_block_and_a_rejection_end_at_their_moment() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a")]).await;
    let ann = applicant(ANN, &[]);
    filled(&test, &view, &ann).await;
    let sent = send(&test, &ann, view.id).await.unwrap();
    let verdict = application::Verdict { status: entity::application::ApplicationStatus::Rejected, reason: None };
    application::decide(&test, &testing::root(), sent.id, verdict).await.unwrap();
    let block = application::Block {
        guild_id: testing::guild(),
        discord_user_id: DiscordUserId::new(ANN).unwrap(),
        until: Some(testing::start() + TimeDelta::days(1)),
        reason: None,
    };
    application::block(&test, &testing::root(), block).await.unwrap();
    let week = testing::start() + TimeDelta::days(7);
    let blocked = FormRefusal::Blocked { until: Some(testing::start() + TimeDelta::days(1)) };
    let cooling = FormRefusal::CoolingDown { until: week };
    assert_eq!(obstacles(&test, &ann, &view).await.unwrap(), [blocked, cooling.clone()]);
    test.advance(TimeDelta::days(1));
    assert_eq!(obstacles(&test, &ann, &view).await.unwrap(), [cooling]);
    filled(&test, &view, &ann).await;
    assert_eq!(code(send(&test, &ann, view.id).await), "form.cooling_down");
    test.advance(TimeDelta::days(6));
    assert_eq!(obstacles(&test, &ann, &view).await.unwrap(), []);
    assert_eq!(send(&test, &ann, view.id).await.unwrap().number, 2);
}
