//! What follows a decision, and the review post.

use std::time::Duration;

use entity::id::{ChannelId, MessageId};

use super::*;

async fn decided(domain: &TestDomain) -> ApplicationId {
    let id = apply(domain, 1, &policy()).await.id;
    for voter in [10, 11] {
        votes_for(domain, id, voter, VoteChoice::Approve).await.unwrap();
    }
    id
}

fn failed(is_final: bool) -> StepOutcome {
    StepOutcome::Failed { code: "50013".to_owned(), retry_in: Some(Duration::from_secs(1)), is_final }
}

#[tokio::test]
async fn a_step_is_tried_again_and_then_waits_for_somebody() {
    let domain = testing::domain().await;
    let id = decided(&domain).await;
    let claimed = claim_steps(&domain, 10).await.unwrap();
    assert_eq!(claimed.len(), 4);
    assert!(claim_steps(&domain, 10).await.unwrap().is_empty(), "they are held");
    for one in &claimed[1..] {
        assert!(settle_step(&domain, one.step.id, StepOutcome::Done).await.unwrap());
        assert!(!settle_step(&domain, one.step.id, failed(true)).await.unwrap(), "once");
    }
    let step = claimed[0].step.id;
    let mut tries = 0;
    loop {
        tries += 1;
        settle_step(&domain, step, failed(false)).await.unwrap();
        domain.advance(TimeDelta::hours(1));
        if claim_steps(&domain, 10).await.unwrap().is_empty() {
            break;
        }
    }
    assert_eq!(tries, 8);
    let find = async || {
        let all = steps(&domain, &testing::root(), id).await.unwrap();
        all.into_iter().find(|one| one.id == step).unwrap()
    };
    let given_up = find().await;
    assert_eq!((given_up.state, given_up.last_code.as_deref()), (StepState::Failed, Some("50013")));
    assert_eq!(events(&domain).await.last().map(String::as_str), Some("application.step_failed"));
    assert_eq!(code(retry_step(&domain, &member(10, &[VOTERS]), step).await), "forbidden");
    retry_step(&domain, &manager(2), step).await.unwrap();
    assert_eq!(code(retry_step(&domain, &manager(2), step).await), "application.step_settled");
    let again = claim_steps(&domain, 10).await.unwrap();
    assert_eq!(again.iter().map(|one| one.step.id).collect::<Vec<_>>(), [step]);
    settle_step(&domain, step, failed(true)).await.unwrap();
    assert_eq!(find().await.state, StepState::Failed, "a final refusal is not tried again");
    skip_step(&domain, &manager(2), step).await.unwrap();
    assert_eq!(find().await.state, StepState::Skipped);
}

#[tokio::test]
async fn a_claimer_that_dies_loses_its_steps() {
    let domain = testing::domain().await;
    decided(&domain).await;
    assert_eq!(claim_steps(&domain, 10).await.unwrap().len(), 4);
    domain.advance(TimeDelta::seconds(61));
    let again = claim_steps(&domain, 10).await.unwrap();
    assert_eq!(again.iter().map(|one| one.step.attempts).collect::<Vec<_>>(), [2; 4]);
}

#[tokio::test]
async fn the_post_shows_what_changed_while_it_was_written() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &policy()).await.id;
    let claimed = claim_posts(&domain, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
    assert!(claim_posts(&domain, 10).await.unwrap().is_empty());
    votes_for(&domain, id, 10, VoteChoice::Approve).await.unwrap();
    let place = Some((ChannelId::new(5).unwrap(), MessageId::new(6).unwrap(), ChannelId::new(7)));
    settle_post(&domain, id, claimed[0].revision, PostOutcome::Shown { place }).await.unwrap();
    let behind = claim_posts(&domain, 10).await.unwrap();
    let [row] = &behind[..] else { panic!("the vote is not shown: {behind:?}") };
    assert_eq!((row.review_message_id, row.review_thread_id), (MessageId::new(6), ChannelId::new(7)));
    settle_post(&domain, id, row.revision, PostOutcome::Shown { place: None }).await.unwrap();
    domain.advance(TimeDelta::hours(1));
    assert!(claim_posts(&domain, 10).await.unwrap().is_empty());
    let found = by_review_message(&domain, &member(10, &[]), MessageId::new(6).unwrap()).await.unwrap();
    assert_eq!((found.id, found.posted_revision), (id, found.revision));
    // A post that cannot be written is given up, and the next change tries again.
    votes_for(&domain, id, 10, VoteChoice::Reject).await.unwrap();
    let mut tries = 0;
    while let [row] = &claim_posts(&domain, 10).await.unwrap()[..] {
        tries += 1;
        let outcome = PostOutcome::Failed { code: "50013".to_owned(), retry_in: None };
        settle_post(&domain, id, row.revision, outcome).await.unwrap();
        domain.advance(TimeDelta::hours(1));
    }
    assert_eq!((tries, now(&domain, id).await.post_code.as_deref()), (8, Some("50013")));
    add_note(&domain, &manager(2), id, "Look").await.unwrap();
    assert_eq!(claim_posts(&domain, 10).await.unwrap().len(), 1);
}
