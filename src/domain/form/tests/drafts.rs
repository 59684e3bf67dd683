//! Drafts, and who may apply.

use super::*;
use crate::domain::user;

#[tokio::test]
async fn a_draft_keeps_what_was_written_and_nothing_else() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a"), choice("b", &["x", "y"])]).await;
    let [a, b] = [view.config.questions[0].id, view.config.questions[1].id];
    let ann = applicant(ANN, &[]);
    assert_eq!(draft(&test, &ann, view.id).await.unwrap(), None);
    let kept = save_answers(&test, &ann, view.id, Answers::from([(a, "  hello\r\nyou ".to_owned())])).await.unwrap();
    assert_eq!(kept.answers, Answers::from([(a, "hello\nyou".to_owned())]));
    assert_eq!(missing(&view.config, &kept.answers).len(), 1);
    let kept = save_answers(&test, &ann, view.id, Answers::from([(b, "y".to_owned())])).await.unwrap();
    assert_eq!(kept.answers.len(), 2, "other answers stay");
    let strange = Answers::from([(entity::id::FormQuestionId(uuid::Uuid::max()), "z".to_owned())]);
    assert_eq!(save_answers(&test, &ann, view.id, strange).await.unwrap().answers, kept.answers);
    for (id, wrong) in [(a, "x".repeat(1_001)), (b, "z".to_owned())] {
        let refused = save_answers(&test, &ann, view.id, Answers::from([(id, wrong)])).await;
        assert_eq!(code(refused), "form.bad_answer");
    }
    let emptied = save_answers(&test, &ann, view.id, Answers::from([(a, " ".to_owned())])).await.unwrap();
    assert_eq!(emptied.answers.len(), 1);
    // It is nobody else's.
    assert_eq!(draft(&test, &applicant(ANN + 1, &[]), view.id).await.unwrap(), None);
    assert!(discard_draft(&test, &ann, view.id).await.unwrap());
    assert!(!discard_draft(&test, &ann, view.id).await.unwrap());
}

#[tokio::test]
async fn a_draft_ends_seven_days_after_it_was_saved_last() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a")]).await;
    let a = view.config.questions[0].id;
    let (ann, ben) = (applicant(ANN, &[]), applicant(ANN + 1, &[]));
    let save = async |who: &Applicant| {
        save_answers(&test, who, view.id, Answers::from([(a, "hello".to_owned())])).await.unwrap()
    };
    let first = save(&ann).await;
    save(&ben).await;
    test.clock.advance(TimeDelta::days(6));
    assert_eq!(save(&ann).await.id, first.id);
    test.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    assert!(draft(&test, &ben, view.id).await.unwrap().is_some());
    test.clock.advance(TimeDelta::seconds(1));
    assert!(draft(&test, &ben, view.id).await.unwrap().is_none());
    assert!(!prune_drafts(&test).await.unwrap());
    assert_eq!(drafts(&test, &testing::admin(), &view).await.unwrap(), 1);
    test.clock.advance(TimeDelta::days(6));
    // One that has ended is begun anew, also before anybody forgets it.
    let again = save_answers(&test, &ann, view.id, Answers::new()).await.unwrap();
    assert!(again.id != first.id && again.answers.is_empty());
}

#[tokio::test]
async fn a_draft_forgets_what_the_form_no_longer_asks() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a"), short("b")]).await;
    let [a, b] = [view.config.questions[0].id, view.config.questions[1].id];
    let ann = applicant(ANN, &[]);
    let both = Answers::from([(a, "1".to_owned()), (b, "2".to_owned())]);
    save_answers(&test, &ann, view.id, both).await.unwrap();
    let place = (testing::guild(), view.id);
    change_form(&test, &testing::admin(), place, FormChange::RemoveQuestion { id: a }).await.unwrap();
    let kept = save_answers(&test, &ann, view.id, Answers::new()).await.unwrap();
    assert_eq!(kept.answers, Answers::from([(b, "2".to_owned())]));
    remove_form(&test, &testing::admin(), place).await.unwrap();
    assert_eq!(code(save_answers(&test, &ann, view.id, Answers::new()).await), "form.no_form");
    assert_eq!(draft(&test, &ann, view.id).await.unwrap(), None);
}

#[tokio::test]
async fn strangers_begin_nothing() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a")]).await;
    let user_id = DiscordUserId::new(ANN).unwrap();
    let account = Actor::Account(crate::domain::Account { user_id, is_bot_admin: false });
    let from_afar = Applicant { actor: account, joined_at: None };
    assert_eq!(code(save_answers(&test, &from_afar, view.id, Answers::new()).await), "form.no_draft");
    assert_eq!(code(form_of_draft(&test, &from_afar, view.id).await), "form.no_form");
    assert_eq!(obstacles(&test, &from_afar, &view).await.unwrap(), [FormRefusal::OnlyMembers]);
    save_answers(&test, &applicant(ANN, &[]), view.id, Answers::new()).await.unwrap();
    save_answers(&test, &from_afar, view.id, Answers::new()).await.unwrap();
    assert_eq!(form_of_draft(&test, &from_afar, view.id).await.unwrap(), view);
    assert_eq!(
        code(
            save_answers(&test, &Applicant { actor: testing::root(), joined_at: None }, view.id, Answers::new()).await
        ),
        "form.only_members"
    );
}

#[tokio::test]
async fn every_reason_is_told_at_once() {
    let test = testing::domain().await;
    let mut view = open_form(&test, "Staff", vec![short("a")]).await;
    let role = |id| RoleId::new(id).unwrap();
    assert_eq!(obstacles(&test, &applicant(ANN, &[]), &view).await.unwrap(), []);
    let rules = &mut view.config.eligibility;
    rules.required_roles = [role(1), role(2)].into();
    rules.blocked_roles = [role(3)].into();
    rules.membership_seconds = 2 * 86_400;
    view.config.state = entity::form::FormState::Closed;
    let joined = testing::start() - TimeDelta::days(1);
    let found = obstacles(&test, &applicant(ANN, &[2, 3]), &view).await.unwrap();
    assert_eq!(
        found,
        [
            FormRefusal::Closed,
            FormRefusal::LacksRole { role: role(1) },
            FormRefusal::HasBlockedRole { role: role(3) },
            FormRefusal::MemberTooNew { at: joined + TimeDelta::days(2) },
        ]
    );
    view.config.state = entity::form::FormState::Open;
    let allowed = applicant(ANN, &[1, 2]);
    test.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    assert_eq!(obstacles(&test, &allowed, &view).await.unwrap().len(), 1);
    test.clock.advance(TimeDelta::seconds(1));
    assert_eq!(obstacles(&test, &allowed, &view).await.unwrap(), []);
    // Who is not known to have joined is new.
    let unknown = Applicant { joined_at: None, ..allowed };
    assert_eq!(obstacles(&test, &unknown, &view).await.unwrap().len(), 1);
    // An account made in this very moment, by its id.
    let now = test.now().timestamp_millis();
    let young = entity::id::MessageId::at_milliseconds(now).unwrap().get();
    view.config.eligibility = Eligibility { account_age_seconds: 3_600, ..Eligibility::default() };
    let reasons = obstacles(&test, &applicant(young, &[]), &view).await.unwrap();
    assert!(
        matches!(reasons.as_slice(), [FormRefusal::AccountTooYoung { at }] if (*at - test.now()).num_seconds() == 3_600)
    );
}

#[tokio::test]
async fn a_draft_is_its_writers_to_see_and_to_have_forgotten() {
    let test = testing::domain().await;
    let view = open_form(&test, "Staff", vec![short("a")]).await;
    let (ann, ben) = (applicant(ANN, &[]), applicant(ANN + 1, &[]));
    let new = user::NewUser { role: entity::user::Role::Authenticated, discord_user_id: DiscordUserId::new(ANN) };
    let id = user::create(&test, &testing::root(), new).await.unwrap().id;
    for who in [&ann, &ben] {
        let answers = Answers::from([(view.config.questions[0].id, "hello".to_owned())]);
        save_answers(&test, who, view.id, answers).await.unwrap();
    }
    let shown = user::export(&test, &testing::root(), id).await.unwrap();
    assert_eq!(shown.to_string().matches("hello").count(), 1, "{shown:#}");
    user::erase_part(&test, &testing::root(), id, user::holdings::Part::Applications).await.unwrap();
    assert_eq!(draft(&test, &ann, view.id).await.unwrap(), None);
    assert!(draft(&test, &ben, view.id).await.unwrap().is_some());
}
