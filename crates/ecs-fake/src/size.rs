//! Fargate's sizes (Amazon ECS developer guide, «Task CPU and memory», read 2026-11).

const GB: u32 = 1024;

/// Whether Fargate has such a task: CPU units (1024 are one vCPU) and MiB.
pub(crate) fn exists(cpu: u32, memory: u32) -> bool {
    let (least, most, step) = match cpu {
        256 => return matches!(memory, 512 | 1024 | 2048),
        512 => (GB, 4 * GB, GB),
        1024 => (2 * GB, 8 * GB, GB),
        2048 => (4 * GB, 16 * GB, GB),
        4096 => (8 * GB, 30 * GB, GB),
        8192 => (16 * GB, 60 * GB, 4 * GB),
        16384 => (32 * GB, 120 * GB, 8 * GB),
        _ => return false,
    };
    (least..=most).contains(&memory) && (memory - least).is_multiple_of(step)
}

/// `512`, `.5 vCPU`, `0.5 vcpu` → 512.
pub(crate) fn cpu_units(text: &str) -> Option<u32> {
    scaled(text, "vcpu")
}

/// `2048`, `2GB`, `2 GB` → 2048.
pub(crate) fn memory_mib(text: &str) -> Option<u32> {
    scaled(text, "gb")
}

/// A number of 1/1024 of the unit, or a number with the unit.
fn scaled(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let Some(number) = text.strip_suffix(unit) else { return text.parse().ok() };
    let scaled = number.trim().parse::<f64>().ok()? * f64::from(GB);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    (scaled.fract() == 0.0 && (0.0..f64::from(u32::MAX)).contains(&scaled)).then_some(scaled as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_fargates() {
        for (cpu, good, bad) in [
            (256, [512, 1024, 2048], [256, 1536, 4096]),
            (512, [1024, 2048, 4096], [512, 1536, 5120]),
            (1024, [2048, 5120, 8192], [1024, 2560, 9216]),
            (2048, [4096, 9216, 16384], [3072, 4608, 17408]),
            (4096, [8192, 9216, 30720], [7168, 8704, 31744]),
            (8192, [16384, 20480, 61440], [12288, 17408, 65536]),
            (16384, [32768, 40960, 122_880], [24576, 36864, 131_072]),
        ] {
            assert!(good.iter().all(|memory| exists(cpu, *memory)), "{cpu}");
            assert!(!bad.iter().any(|memory| exists(cpu, *memory)), "{cpu}");
        }
        assert!(!exists(128, 512) && !exists(0, 0));
    }

    #[test]
    fn units_may_be_written_out() {
        assert_eq!(
            [cpu_units("512"), cpu_units(".5 vCPU"), cpu_units("1vcpu")],
            [Some(512), Some(512), Some(1024)]
        );
        assert_eq!(
            [memory_mib("2GB"), memory_mib("0.5 gb"), memory_mib("1024")],
            [Some(2048), Some(512), Some(1024)]
        );
        assert_eq!([cpu_units("half"), memory_mib("-1GB"), memory_mib("2.0001 GB")], [None; 3]);
    }
}
