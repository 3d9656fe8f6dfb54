//! Times: as precise as a column is, and in their order.

use jiff::Timestamp;
use sqlx::{query, query_scalar};

use super::{of, on_every_driver};
use crate::{DbTime, execute, on};

on_every_driver! {
    async fn times_come_back_with_their_microseconds_and_sort(db) {
        let times = [
            "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z",
            "1999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00.000001Z",
            "2026-11-27T05:14:37.000009Z", "2026-11-27T05:14:37.00001Z", "9999-12-30T00:00:00Z",
        ].map(|text| DbTime(text.parse::<Timestamp>().unwrap()));
        let acme = of("acme");
        let mut tx = db.write(&acme).await.unwrap();
        for (time, id) in times.iter().zip(0_i64..).collect::<Vec<_>>().into_iter().rev() {
            let insert = "INSERT INTO probe.notes (tenant, id, at) VALUES ('acme', $1, $2)";
            execute!(&mut tx, query(insert).bind(id).bind(*time)).unwrap();
        }
        tx.commit().await.unwrap();
        let mut tx = db.read(&acme).await.unwrap();
        let read: Vec<DbTime> = on!(&mut tx, c => query_scalar(
            "SELECT at FROM probe.notes WHERE tenant = 'acme' ORDER BY at",
        ).fetch_all(c)).unwrap();
        assert_eq!(read, times);
        let one: i64 = on!(&mut tx, c => query_scalar(
            "SELECT id FROM probe.notes WHERE tenant = 'acme' AND at = $1",
        ).bind(times[5]).fetch_one(c)).unwrap();
        assert_eq!(one, 5);
    }
}
