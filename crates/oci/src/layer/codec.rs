//! Compression of layers: reading any of the three codecs that images use, and writing frames.
//!
//! A layer of ours is a row of independently compressed *frames* (zstd frames, or gzip members). Both formats
//! define the concatenation of frames as a valid stream, so a frame that was compressed once for one layer can
//! be a part of another without being compressed again.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The codec of layers that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Zstandard: smaller and several times faster on both sides. Every puller since 2021 reads it.
    #[default]
    Zstd,
    /// gzip, for clusters whose pullers are older.
    Gzip,
}

/// Level 3 is zstd's own default: level 6 takes twice the time for some three percent.
const ZSTD_LEVEL: i32 = 3;
/// Level 6 is gzip's own default.
const GZIP_LEVEL: u32 = 6;
/// Streams that need a window above 128 MiB are refused: this bounds what a hostile layer can make us allocate.
const ZSTD_WINDOW_LOG: u32 = 27;

impl Compression {
    /// Everything that the compressed bytes depend on: part of each layer's key. The same input gives the same
    /// bytes only for the same library, version and level.
    pub fn fingerprint(self) -> String {
        match self {
            Self::Zstd => format!("zstd-{}-level-{ZSTD_LEVEL}", zstd::zstd_safe::version_string()),
            // The version of the linked zlib-rs is not readable at run time: raised by hand with Cargo.lock.
            Self::Gzip => format!("gzip-zlib-rs-0.6-level-{GZIP_LEVEL}"),
        }
    }

    /// Starts one frame.
    ///
    /// # Errors
    /// When the compressor cannot be made (memory).
    pub fn frame<W: Write>(self, output: W) -> io::Result<FrameWriter<W>> {
        Ok(match self {
            Self::Zstd => FrameWriter::Zstd(zstd::stream::write::Encoder::new(output, ZSTD_LEVEL)?),
            Self::Gzip => {
                FrameWriter::Gzip(flate2::write::GzEncoder::new(output, flate2::Compression::new(GZIP_LEVEL)))
            }
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        })
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "zstd" => Ok(Self::Zstd),
            "gzip" => Ok(Self::Gzip),
            other => Err(format!("{other:?} is no compression of layers; write zstd or gzip")),
        }
    }
}

/// Compresses what is written into one frame.
pub enum FrameWriter<W: Write> {
    /// A zstd frame.
    Zstd(zstd::stream::write::Encoder<'static, W>),
    /// A gzip member.
    Gzip(flate2::write::GzEncoder<W>),
}

impl<W: Write> fmt::Debug for FrameWriter<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FrameWriter")
    }
}

impl<W: Write> FrameWriter<W> {
    /// Ends the frame and gives the output back.
    ///
    /// # Errors
    /// What the output gives.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for FrameWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(buffer),
            Self::Gzip(encoder) => encoder.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

/// Decompresses a layer. The codec is told by the first bytes, as pullers do it: media types lie often enough,
/// and a wrong one is no reason to fail.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn decompress<'source, R: Read + 'source>(source: R) -> io::Result<Box<dyn Read + 'source>> {
    let mut source = BufReader::with_capacity(128 << 10, source);
    let start = source.fill_buf()?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(source))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || is_skippable_frame(start) {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Box::new(decoder)
    } else {
        Box::new(source)
    })
}

/// zstd:chunked and seekable files may start with a skippable frame.
fn is_skippable_frame(start: &[u8]) -> bool {
    start.len() >= 4 && start[0] & 0xf0 == 0x50 && start[1..4] == [0x2a, 0x4d, 0x18]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_joined_are_one_stream() {
        for compression in [Compression::Zstd, Compression::Gzip] {
            let mut joined = Vec::new();
            for part in ["first ", "second ", "third"] {
                let mut frame = compression.frame(Vec::new()).unwrap();
                frame.write_all(part.as_bytes()).unwrap();
                joined.extend(frame.finish().unwrap());
            }
            let mut text = String::new();
            decompress(joined.as_slice()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "first second third", "{compression}");
        }
    }

    #[test]
    fn plain_bytes_pass() {
        let mut text = String::new();
        decompress(&b"plain"[..]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "plain");
    }
}
