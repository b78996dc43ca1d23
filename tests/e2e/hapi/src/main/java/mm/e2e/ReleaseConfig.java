package mm.e2e;

import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r4b.JpaR4BConfig;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.topic.SubscriptionTopicConfig;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * The release of FHIR: --fhir.release=R4, R4B or R5. Topic subscriptions are on where the
 * server that HAPI publishes has them on: R4B and R5.
 */
@Configuration
@Import({ReleaseConfig.R4.class, ReleaseConfig.R4B.class, ReleaseConfig.R5.class})
public class ReleaseConfig {

  @Configuration
  @ConditionalOnProperty(name = "fhir.release", havingValue = "R4")
  @Import(JpaR4Config.class)
  public static class R4 { }

  @Configuration
  @ConditionalOnProperty(name = "fhir.release", havingValue = "R4B")
  @Import({JpaR4BConfig.class, SubscriptionTopicConfig.class})
  public static class R4B { }

  @Configuration
  @ConditionalOnProperty(name = "fhir.release", havingValue = "R5")
  @Import({JpaR5Config.class, SubscriptionTopicConfig.class})
  public static class R5 { }
}
