//! Connections on loan: who gets what comes back, and that nothing is lost by those who give up.

use sea_orm::sqlx::{Sqlite, SqlitePool, sqlite::SqlitePoolOptions};

use super::*;

async fn pool(most: u32) -> SqlitePool {
    let options = SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(2));
    options.connect("sqlite::memory:").await.unwrap()
}

#[tokio::test]
async fn whoever_waits_for_the_pool_gets_what_comes_back() {
    let pool = pool(2).await;
    let ready = Ready::new(pool.clone());
    // As one whose work was cut short and goes on.
    let busy = pool.acquire().await.unwrap();
    let lent = ready.take().await.unwrap();
    let back = async {
        tokio::task::yield_now().await;
        lent.give_back();
    };
    let (waited, ()) = tokio::join!(ready.take(), back);
    waited.unwrap().give_back();
    drop(busy);
    assert_eq!(ready.0.resting().asking, 0);
    assert_eq!(ready.0.resting().connections.len(), 1);
}

#[tokio::test]
async fn who_gives_up_waiting_is_not_counted() {
    let pool = pool(1).await;
    let ready = Ready::new(pool.clone());
    let busy = pool.acquire().await.unwrap();
    assert!(
        timeout(Duration::from_millis(50), ready.take()).await.is_err(),
        "there is none"
    );
    drop(busy);
    ready.take().await.unwrap().give_back();
    assert_eq!(ready.0.resting().asking, 0);
    assert_eq!(ready.0.resting().connections.len(), 1);
    assert_eq!(ready.0.places.available_permits(), 1);
}

#[test]
fn connections_may_outlive_their_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (ready, loans) = runtime.block_on(async {
        let ready: Ready<Sqlite> = Ready::new(pool(3).await);
        let mut loans = Vec::new();
        for _ in 0..3 {
            loans.push(ready.take().await.unwrap());
        }
        (ready, loans)
    });
    drop(runtime);
    let mut loans = loans.into_iter();
    loans.next().unwrap().give_back();
    loans.next().unwrap().close();
    drop(loans);
    drop(ready);
}
