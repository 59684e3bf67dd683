//! Bars of practised time as a picture.
//!
//! Invariants: a picture holds no text of members, whose letters its typeface may lack; two are drawn at once at most,
//! beside the runtime's threads, and the same one only once.

use std::{sync::Arc, time::Duration};

use charts_rs::{Align, BarChart, Series, THEME_DARK, svg_to_png_with_size};
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio::{sync::Semaphore, task, time::timeout};

/// Width of a picture, in pixels.
pub const WIDTH: u32 = 800;
/// Height of a picture, in pixels.
pub const HEIGHT: u32 = 420;
/// Pictures that are drawn at once.
const DRAWN_AT_ONCE: usize = 2;
/// Longest wait for a picture, with the wait for one's turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pictures that are kept.
const KEPT_MAX: u64 = 200;
/// From so many seconds on, a bar is labelled in hours.
const HOURS_FROM: i64 = 2 * 3_600;
/// With more bars than this their numbers would run into each other; the text beside the picture has them all.
const NUMBERED_BARS_MAX: usize = 16;

const BACKGROUND: &str = "#1e1f22";
const BAR: &str = "#5865f2";
const PRESENT_BAR: &str = "#3ba55d";
const INK: &str = "#dbdee1";
const FAINT_INK: &str = "#949ba4";
const LINE: &str = "#35373c";

/// Bars of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bars {
    /// Above them.
    pub title: String,
    /// Below each.
    pub labels: Vec<String>,
    /// Seconds of each.
    pub seconds: Vec<i64>,
    /// The one of now, in another colour.
    pub present: Option<usize>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// It took too long.
    #[error("drawing took more than {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// The library could not draw it.
    #[error("the bars cannot be drawn")]
    Drawing(#[from] charts_rs::Error),
    /// The thread that drew it is gone.
    #[error("the drawing thread ended")]
    Thread(#[from] task::JoinError),
}

impl Bars {
    /// As a PNG of 800 by 420 pixels. Takes some milliseconds of a processor.
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        let in_hours = self.seconds.iter().any(|seconds| *seconds >= HOURS_FROM);
        let (unit, divisor) = if in_hours { ("h", 3_600.0) } else { ("min", 60.0) };
        #[expect(clippy::cast_precision_loss, reason = "a picture shows two digits")]
        let value = |seconds: i64| ((seconds as f32 / divisor) * 10.0).round() / 10.0;
        // No number stands over a bar of nothing.
        let data: Vec<Option<f32>> =
            self.seconds.iter().map(|seconds| (*seconds > 0).then(|| value(*seconds).max(0.1))).collect();
        let colour = |index| Some(if self.present == Some(index) { PRESENT_BAR } else { BAR }.into());
        let series = Series {
            name: unit.to_owned(),
            label_show: data.len() <= NUMBERED_BARS_MAX,
            colors: Some((0..data.len()).map(colour).collect()),
            data,
            ..Series::default()
        };
        let mut chart = BarChart::new_with_theme(vec![series], self.labels.clone(), THEME_DARK);
        #[expect(clippy::cast_precision_loss, reason = "both are small")]
        let (width, height) = (WIDTH as f32, HEIGHT as f32);
        (chart.width, chart.height) = (width, height);
        chart.margin = charts_rs::Box { left: 18.0, top: 14.0, right: 24.0, bottom: 10.0 };
        chart.background_color = BACKGROUND.into();
        chart.radius = Some(4.0);
        chart.title.text.clone_from(&self.title);
        chart.title.align = Align::Left;
        chart.title.font.size = 20.0;
        chart.title.font.color = INK.into();
        chart.title.margin = Some(charts_rs::Box { left: 4.0, bottom: 16.0, ..charts_rs::Box::default() });
        chart.legend.show = Some(false);
        chart.x_axis.font.size = 13.0;
        chart.x_axis.font.color = FAINT_INK.into();
        chart.x_axis.stroke_color = LINE.into();
        chart.grid.stroke_color = LINE.into();
        chart.series.label.font.size = 13.0;
        chart.series.label.font.color = INK.into();
        for axis in &mut chart.y_axis_configs {
            axis.font.size = 13.0;
            axis.font.color = FAINT_INK.into();
            axis.formatter = Some(format!("{{c}} {unit}"));
            axis.min = Some(0.0);
        }
        Ok(svg_to_png_with_size(&chart.svg()?, Some(WIDTH), Some(HEIGHT))?)
    }

    fn digest(&self) -> [u8; 32] {
        // Debug tells each field apart, whatever the texts hold.
        Sha256::digest(format!("{self:?}")).into()
    }
}

/// Draws pictures, and keeps the last ones.
#[derive(Clone)]
pub struct Charts {
    turns: Arc<Semaphore>,
    kept: Cache<[u8; 32], Arc<Vec<u8>>>,
}

impl Default for Charts {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(DRAWN_AT_ONCE)), kept: Cache::builder().max_capacity(KEPT_MAX).build() }
    }
}

impl Charts {
    /// The picture, within 5 seconds.
    pub async fn png(&self, bars: Bars) -> Result<Arc<Vec<u8>>, ChartError> {
        timeout(PATIENCE, self.draw(bars)).await.unwrap_or(Err(ChartError::TooSlow))
    }

    async fn draw(&self, bars: Bars) -> Result<Arc<Vec<u8>>, ChartError> {
        let digest = bars.digest();
        if let Some(picture) = self.kept.get(&digest) {
            return Ok(picture);
        }
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else { return Err(ChartError::TooSlow) };
        let drawn = task::spawn_blocking(move || {
            // A drawing that nobody waits for any more still has its turn.
            let _turn = turn;
            bars.png()
        });
        let picture = Arc::new(drawn.await??);
        self.kept.insert(digest, Arc::clone(&picture));
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(count: usize, seconds: i64) -> Bars {
        Bars {
            title: "1 to 30 November 2026".to_owned(),
            labels: (1..=count).map(|day| day.to_string()).collect(),
            seconds: (0..count).map(|day| (i64::try_from(day).unwrap() * 7 % 11) * seconds).collect(),
            present: Some(count - 1),
        }
    }

    #[test]
    fn pictures_are_whole_and_of_their_size() {
        for (count, seconds) in [(1, 60), (7, 700), (12, 36_000), (31, 1_000), (7, 0)] {
            let picture = bars(count, seconds).png().unwrap();
            if let Ok(folder) = std::env::var("CHART_FOLDER") {
                std::fs::write(format!("{folder}/bars-{count}-{seconds}.png"), &picture).unwrap();
            }
            let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let frame = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((frame.width, frame.height), (WIDTH, HEIGHT));
            assert!(pixels.chunks(4).any(|pixel| pixel != &pixels[..4]), "something is drawn");
        }
    }

    #[tokio::test]
    async fn the_same_bars_are_drawn_once() {
        let charts = Charts::default();
        let one = charts.png(bars(7, 60)).await.unwrap();
        let again = charts.png(bars(7, 60)).await.unwrap();
        let other = charts.png(bars(7, 61)).await.unwrap();
        assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &other));
    }
}
