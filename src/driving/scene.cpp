// Outline: the lane is laid out before the car once per picture; every pixel sends two rays; a ray hits the
// sky or the ground; the ground's colour depends on where it is along and across the road. Light, shadow,
// haze and noise come last.
#include "driving/scene.h"

#include <algorithm>
#include <cmath>

#include "base/portable_math.h"
#include "base/random.h"

namespace dojo::driving {
namespace {

// --- Texture: repeatable noise over the plane ---

// A hash of a lattice point to [0, 1): multiplications by odd numbers and shifts mix the bits well enough for
// the eye.
double lattice(std::int64_t x, std::int64_t y, std::uint64_t seed) {
  std::uint64_t h = seed + static_cast<std::uint64_t>(x) * 0x9e3779b97f4a7c15ull;
  h = (h ^ (h >> 29)) * 0xd6e8feb86659fd93ull;
  h += static_cast<std::uint64_t>(y) * 0xa0761d6478bd642full;
  h = (h ^ (h >> 32)) * 0xe7037ed1a0b428dbull;
  return static_cast<double>((h ^ (h >> 29)) >> 40) * 0x1p-24;
}

// Lattice values with smooth passages between them.
double smooth_noise(double x, double y, std::uint64_t seed) {
  const double fx = std::floor(x), fy = std::floor(y);
  const auto ix = static_cast<std::int64_t>(fx), iy = static_cast<std::int64_t>(fy);
  const auto ease = [](double t) { return t * t * (3 - 2 * t); };
  const double u = ease(x - fx), v = ease(y - fy);
  const double top = std::lerp(lattice(ix, iy, seed), lattice(ix + 1, iy, seed), u);
  const double bottom = std::lerp(lattice(ix, iy + 1, seed), lattice(ix + 1, iy + 1, seed), u);
  return std::lerp(top, bottom, v);
}

double cell_noise(double x, double y, std::uint64_t seed) {
  return lattice(static_cast<std::int64_t>(std::floor(x)), static_cast<std::int64_t>(std::floor(y)), seed);
}

Colour mix(const Colour& a, const Colour& b, double part) {
  const auto p = static_cast<float>(part);
  return {std::lerp(a[0], b[0], p), std::lerp(a[1], b[1], p), std::lerp(a[2], b[2], p)};
}

Colour brighter(const Colour& a, double factor) {
  const auto f = static_cast<float>(factor);
  return {a[0] * f, a[1] * f, a[2] * f};
}

// --- The ground ---

constexpr double marking_width = 0.15, paved_shoulder = 0.5, seen_metres = 70, path_step = 0.5,
                 seen_behind = 4;

// `across` is the distance to the right of the lane's middle. The other lane lies to the left.
Colour ground_colour(const Look& look, const Road& road, double along, double across, double grain_metres) {
  const double half = road.lane_width / 2;
  const auto on_line = [&](double place) { return std::fabs(across - place) < marking_width / 2 + 0.02; };
  const double patches = smooth_noise(along * 0.25, across * 0.25, look.seed + 1) - 0.5;
  // Fine grain fades where a pixel covers many grains.
  const double fine =
      (cell_noise(along * 12, across * 12, look.seed + 2) - 0.5) * std::min(1.0, 0.1 / grain_metres);
  const bool paved = across < half + paved_shoulder && across > -3 * half - paved_shoulder;
  if (!paved) {
    const double tufts = smooth_noise(along * 1.7, across * 1.7, look.seed + 3) - 0.5;
    return brighter(look.verge, 1 + look.verge_grain * (patches + tufts + fine));
  }
  const Colour asphalt = brighter(look.asphalt, 1 + look.asphalt_grain * (patches + fine));
  const double period = look.dash_metres + look.gap_metres;
  const bool dashed_here =
      look.gap_metres <= 0 || along - period * std::floor(along / period) < look.dash_metres;
  const bool centre = on_line(-half) && dashed_here;
  if (!centre && !on_line(half) && !on_line(-3 * half)) return asphalt;
  const double worn = look.marking_wear * smooth_noise(along * 3, across * 9, look.seed + 4);
  return mix(centre ? look.centre_marking : look.marking, asphalt, std::clamp(worn, 0.0, 0.9));
}

// Finds a ground point's place along and across the road. Neighbouring rays ask for neighbouring places, so
// the search starts where the last one ended.
class RoadFinder {
public:
  RoadFinder(const Road& road, const Pose& pose)
      : path_(path_seen(road, pose, seen_behind, seen_metres, path_step)) {}

  void find(double forward, double right, double& along, double& across) {
    const auto square = [&](std::size_t i) {
      return (path_[i].forward - forward) * (path_[i].forward - forward) +
             (path_[i].right - right) * (path_[i].right - right);
    };
    while (at_ + 1 < path_.size() && square(at_ + 1) < square(at_)) ++at_;
    while (at_ > 0 && square(at_ - 1) < square(at_)) --at_;
    const PathPoint& p = path_[at_];
    const double dx = forward - p.forward, dy = right - p.right;
    along = p.s + dx * cosine(p.heading) + dy * sine(p.heading);
    across = -dx * sine(p.heading) + dy * cosine(p.heading);
  }

private:
  std::vector<PathPoint> path_;
  std::size_t at_ = 0;
};

// --- Rays ---

struct Ray {
  double forward, right, down;
};

// The camera's axes are turned by roll, then pitch, then yaw.
class Camera {
public:
  explicit Camera(const Look& look)
      : look_(look),
        roll_{cosine(look.roll), sine(look.roll)},
        pitch_{cosine(look.pitch), sine(look.pitch)},
        yaw_{cosine(look.yaw), sine(look.yaw)} {}

  Ray through(double column, double row) const {
    const double u = (column - scene_width / 2.0) / look_.focal_pixels,
                 v = (row - scene_height / 2.0) / look_.focal_pixels;
    const double across = u * roll_.cosine - v * roll_.sine, below = u * roll_.sine + v * roll_.cosine;
    const double ahead = pitch_.cosine - below * pitch_.sine;
    return {ahead * yaw_.cosine - across * yaw_.sine, ahead * yaw_.sine + across * yaw_.cosine,
            pitch_.sine + below * pitch_.cosine};
  }

private:
  struct Turn {
    double cosine, sine;
  };
  const Look& look_;
  Turn roll_, pitch_, yaw_;
};

class Picture {
public:
  Picture(const Look& look, const Road& road, const Pose& pose)
      : look_(look), road_(road), finder_(road, pose), compass_(road.heading(pose.s) + pose.heading) {}

  Colour colour(const Ray& ray) {
    if (ray.down < look_.height_metres / seen_metres) return sky(ray);
    const double reach = look_.height_metres / ray.down;
    const double forward = reach * ray.forward, right = reach * ray.right;
    double along = 0, across = 0;
    finder_.find(forward, right, along, across);
    const double distance = hypotenuse(forward, right);
    const double grain_metres = distance * distance / (look_.height_metres * look_.focal_pixels);
    Colour ground = ground_colour(look_, road_, along, across, std::max(grain_metres, 0.05));
    if (look_.shadow_depth > 0) {
      const double cloud = smooth_noise(along * 0.12, across * 0.12 + along * 0.02, look_.seed + 5);
      ground = brighter(ground, 1 - look_.shadow_depth * std::clamp((cloud - 0.5) * 8, 0.0, 1.0));
    }
    return mix(ground, look_.sky, 1 - exponential(-distance / look_.haze_metres));
  }

private:
  Colour sky(const Ray& ray) const {
    const double direction = compass_ + arc_tangent(ray.right, ray.forward);
    const double elevation = -ray.down / hypotenuse(ray.forward, ray.right);
    const double ridge = 0.02 + 0.10 * smooth_noise(direction * 6, 0.5, look_.seed + 6) *
                                    smooth_noise(direction * 1.5, 7.5, look_.seed + 7);
    const double hazy = 1 - exponential(-seen_metres / look_.haze_metres);
    if (elevation < ridge) return mix(look_.hills, look_.sky, 0.6 * hazy);
    const double clouds = smooth_noise(direction * 5, elevation * 14, look_.seed + 8);
    const double zenith = std::clamp(elevation * 1.5, 0.0, 1.0);
    return mix(brighter(look_.sky, 1 - 0.25 * zenith), {250, 250, 250},
               0.5 * std::clamp(clouds * 2 - 0.9, 0.0, 1.0));
  }

  const Look& look_;
  const Road& road_;
  RoadFinder finder_;
  double compass_;
};

}  // namespace

Look random_look(std::uint64_t seed) {
  Random random(seed, 0x6c6f6f6bull << 32);
  const auto tint = [&](double red, double green, double blue, double spread) {
    const double light = 1 + random.uniform(-spread, spread);
    return Colour{static_cast<float>(red * light * random.uniform(0.92, 1.08)),
                  static_cast<float>(green * light * random.uniform(0.92, 1.08)),
                  static_cast<float>(blue * light * random.uniform(0.92, 1.08))};
  };
  Look look;
  look.seed = static_cast<std::uint64_t>(random.bits()) << 32;
  look.asphalt = tint(95, 95, 98, 0.35);
  const double ground = random.uniform();
  look.verge = ground < 0.5   ? tint(70, 105, 50, 0.3)
               : ground < 0.8 ? tint(140, 115, 80, 0.25)
                              : tint(150, 148, 140, 0.2);
  look.marking = tint(225, 225, 220, 0.1);
  look.centre_marking = random.uniform() < 0.4 ? tint(215, 175, 60, 0.1) : look.marking;
  look.sky = random.uniform() < 0.6 ? tint(150, 185, 225, 0.1) : tint(195, 198, 203, 0.12);
  look.hills = tint(75, 95, 80, 0.3);
  look.asphalt_grain = random.uniform(0.1, 0.5);
  look.verge_grain = random.uniform(0.2, 0.7);
  look.marking_wear = random.uniform(0.0, 0.8);
  look.dash_metres = random.uniform(2, 4);
  look.gap_metres = random.uniform() < 0.2 ? 0 : random.uniform(3, 7);
  look.light = random.uniform(0.55, 1.2);
  look.shadow_depth = random.uniform() < 0.5 ? random.uniform(0.2, 0.6) : 0;
  look.haze_metres = random.uniform(60, 400);
  look.noise = random.uniform(1, 5);
  look.height_metres = random.uniform(1.1, 1.4);
  look.pitch = random.uniform(0.17, 0.22);
  look.yaw = random.uniform(-0.015, 0.015);
  look.roll = random.uniform(-0.02, 0.02);
  look.focal_pixels = random.uniform(88, 104);
  return look;
}

data::Image render(const Look& look, const Road& road, const Pose& pose, std::uint64_t frame) {
  data::Image image{scene_width, scene_height, {}};
  image.rgb.reserve(std::size_t{3} * scene_width * scene_height);
  const Camera camera(look);
  Picture picture(look, road, pose);
  const std::uint64_t noise_seed = look.seed + 64 + frame * 4;
  for (unsigned row = 0; row < scene_height; ++row)
    for (unsigned column = 0; column < scene_width; ++column) {
      const Colour one = picture.colour(camera.through(column + 0.25, row + 0.25));
      const Colour two = picture.colour(camera.through(column + 0.75, row + 0.75));
      const double radius = hypotenuse(column - scene_width / 2.0, row - scene_height / 2.0) / 100;
      const double light = look.light * (1 - 0.15 * radius * radius);
      for (unsigned c = 0; c < 3; ++c) {
        // The sum of three uniform numbers is near enough to a normal one; its deviation is a half.
        double noise = -1.5;
        for (unsigned draw = 0; draw < 3; ++draw)
          noise += lattice(3 * column + c, 3 * row + draw, noise_seed);
        const double value = light * (one[c] + two[c]) / 2 + 2 * look.noise * noise;
        image.rgb.push_back(static_cast<std::uint8_t>(std::lrint(std::clamp(value, 0.0, 255.0))));
      }
    }
  return image;
}

}  // namespace dojo::driving
