use reqwest::Method;

use super::*;

fn route(major: u64) -> RouteKey {
    RouteKey { method: Method::GET, template: "/x", major, variant: 0 }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn headers(bucket: &str, remaining: u32) -> RateHeaders {
    let window = Window { limit: 5, remaining, reset_after: Duration::from_mins(1) };
    RateHeaders { bucket: Some(bucket.to_owned()), window: Some(window) }
}

async fn permit(buckets: &Buckets, route: &RouteKey) -> Permit {
    buckets.reserve(route, false, soon()).await.unwrap().start().unwrap()
}

async fn send(buckets: &Buckets, route: &RouteKey, headers: &RateHeaders) {
    permit(buckets, route).await.settle(&Lesson::Answered { headers, is_success: true });
}

#[tokio::test]
async fn routes_of_one_name_share_a_bucket_within_a_channel_only() {
    let buckets = Buckets::default();
    let (read, write) = (route(1), RouteKey { method: Method::PUT, ..route(1) });
    send(&buckets, &read, &headers("shared", 4)).await;
    send(&buckets, &write, &headers("shared", 0)).await;
    let refused = buckets.reserve(&read, false, soon()).await;
    assert!(matches!(refused, Err(Error::RateLimited { retry_after }) if retry_after > Duration::from_secs(50)));
    let other_channel = route(2);
    send(&buckets, &other_channel, &headers("shared", 0)).await;
}

#[tokio::test]
async fn a_waiter_follows_its_route_to_another_bucket() {
    let buckets = Buckets::default();
    let (read, write) = (route(1), RouteKey { method: Method::PUT, ..route(1) });
    send(&buckets, &write, &headers("shared", 3)).await;
    let first = permit(&buckets, &read).await;
    let headers = headers("shared", 2);
    let second = async {
        let waiting = buckets.reserve(&read, false, soon());
        let settled = async {
            first.settle(&Lesson::Answered { headers: &headers, is_success: true });
        };
        tokio::join!(waiting, settled).0.unwrap()
    };
    let place = second.await;
    assert!(Arc::ptr_eq(&place.slot.bucket, &lock(&buckets.0).of_route(&write, Instant::now())));
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_its_place() {
    let buckets = Buckets::default();
    drop(buckets.reserve(&route(1), false, soon()).await.unwrap());
    drop(permit(&buckets, &route(1)).await);
    permit(&buckets, &route(1)).await.settle(&Lesson::Nothing);
    drop(permit(&buckets, &route(1)).await);
}

#[tokio::test]
async fn the_maps_stay_bounded() {
    let buckets = Buckets::default();
    let waiting = permit(&buckets, &route(u64::MAX)).await;
    for major in 1..=(BUCKETS_MAX as u64 + 50) {
        let free = RateHeaders { bucket: Some("free".to_owned()), window: None };
        send(&buckets, &route(major), &free).await;
    }
    {
        let maps = lock(&buckets.0);
        assert!(maps.by_route.len() <= BUCKETS_MAX && maps.by_name.len() <= BUCKETS_MAX);
        assert!(maps.by_route.contains_key(&route(u64::MAX)));
    }
    drop(waiting);
}
